"""Filters: what is one, what each test says, and that evaluation is what a naive reading of the grammar is."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.filters import MOST_DEPTH, MOST_LEAVES, BadFilter, compiled

EVENT: dict[str, Any] = {
    "type": "kairan.member-joined.v1",
    "time": "2022-03-31T12:00:00.000Z",
    "aggregateversion": 3,
    "data": {"source": "search", "count": 1, "ratio": 0.5, "flag": True, "none": None, "list": ["a"], "in": {"x": "y"}},
}


def leaf(path: str, **test: Any) -> dict[str, Any]:
    return {"path": path, **test}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (leaf("data.source", equals="search"), True),
        (leaf("data.source", equals="Search"), False),
        (leaf("data.count", equals=1.0), True),
        (leaf("data.count", equals=True), False),
        (leaf("data.flag", equals=1), False),
        (leaf("data.none", equals=None), True),
        (leaf("data.missing", equals=None), False),
        (leaf("data.list", equals="a"), False),
        (leaf("data.list.0", exists=True), False),
        (leaf("data.source", **{"in": ["publication", "search"]}), True),
        (leaf("data.flag", **{"in": [1, "true"]}), False),
        (leaf("data.in.x", exists=True), True),
        (leaf("data.none", exists=True), True),
        (leaf("data.in.x.y", exists=False), True),
        (leaf("type", prefix="kairan.member-"), True),
        (leaf("data.count", prefix="1"), False),
        (leaf("data.ratio", range={"gt": 0, "lt": 1}), True),
        (leaf("data.ratio", range={"gt": 0.5}), False),
        (leaf("data.ratio", range={"gte": 0.5, "lte": 0.5}), True),
        (leaf("data.flag", range={"gte": 0}), False),
        (leaf("data.source", range={"gte": 0}), False),
        (leaf("time", range={"gte": "2022-03-31T21:00:00+09:00", "lt": "2022-03-31T12:00:00.001Z"}), True),
        (leaf("time", range={"gt": "2022-03-31T21:00:00+09:00"}), False),
        (leaf("data.source", range={"gt": "2000-01-01T00:00:00Z"}), False),
        ({"not": leaf("data.missing", equals=1)}, True),
        (
            {
                "all": [
                    leaf("data.count", equals=1),
                    {"any": [leaf("type", prefix="x"), leaf("data.flag", equals=True)]},
                ]
            },
            True,
        ),
    ],
)
def test_what_each_test_says(condition: Any, holds: bool) -> None:
    assert compiled(condition).holds(EVENT) is holds


def nested(depth: int) -> Any:
    found: Any = leaf("type", exists=True)
    for _ in range(depth - 1):
        found = {"not": found}
    return found


@pytest.mark.parametrize(
    ("condition", "place"),
    [
        ({}, "filter"),
        (None, "filter"),
        ([], "filter"),
        ({"all": []}, "filter.all"),
        ({"all": {}}, "filter.all"),
        ({"all": [leaf("a", equals=1)], "any": [leaf("a", equals=1)]}, "filter"),
        ({"all": [leaf("a", equals=1), {"any": [3]}]}, "filter.all[1].any[0]"),
        ({"not": [leaf("a", equals=1)]}, "filter.not"),
        (leaf("a"), "filter"),
        (leaf("a", equals=1, exists=True), "filter"),
        (leaf("a", equals=1, note="x"), "filter"),
        (leaf("a", regex=".*"), "filter"),
        (leaf("", equals=1), "filter.path"),
        (leaf("a..b", equals=1), "filter.path"),
        (leaf("a\n", equals=1), "filter.path"),
        (leaf("$where", equals=1), "filter.path"),
        ({"path": 1, "equals": 1}, "filter.path"),
        (leaf("a", equals={}), "filter.equals"),
        (leaf("a", equals=float("nan")), "filter.equals"),
        (leaf("a", equals=2**53), "filter.equals"),
        (leaf("a", equals=10**400), "filter.equals"),
        (leaf("a", equals="\ud800"), "filter.equals"),
        (leaf("a", **{"in": []}), "filter.in"),
        (leaf("a", **{"in": "abc"}), "filter.in"),
        (leaf("a", **{"in": [1, [2]]}), "filter.in[1]"),
        (leaf("a", exists=1), "filter.exists"),
        (leaf("a", prefix=""), "filter.prefix"),
        (leaf("a", range={}), "filter.range"),
        (leaf("a", range={"above": 1}), "filter.range"),
        (leaf("a", range={"gt": True}), "filter.range.gt"),
        (leaf("a", range={"gt": 1, "lt": "2022-01-01T00:00:00Z"}), "filter.range.gt"),
        (leaf("a", range={"gt": "yesterday"}), "filter.range.gt"),
        (leaf("a", range={"gt": float("inf")}), "filter.range.gt"),
        ({"any": [leaf("a", exists=True)] * (MOST_LEAVES + 1)}, f"filter.any[{MOST_LEAVES}]"),
        (leaf("a", **{"in": ["x" * 100] * 100}), "filter"),
    ],
)
def test_what_is_no_filter_is_refused_at_its_place(condition: Any, place: str) -> None:
    with pytest.raises(BadFilter) as refused:
        compiled(condition)
    assert refused.value.place == place


def test_depth_and_number_of_leaves_are_bounded() -> None:
    assert compiled(nested(MOST_DEPTH)).holds(EVENT) in (True, False)
    assert compiled({"any": [leaf("a", exists=True)] * MOST_LEAVES}).holds(EVENT) is False
    for depth in (MOST_DEPTH + 1, 200, 100_000):
        with pytest.raises(BadFilter, match="nested deeper"):
            compiled(nested(depth))


def test_the_part_that_decided_is_named() -> None:
    condition = compiled(
        {"all": [leaf("type", exists=True), {"any": [leaf("a", exists=True), leaf("b", exists=True)]}]}
    )
    assert condition.why_not(EVENT) == "filter.all[1].any"
    assert compiled({"not": leaf("type", exists=True)}).why_not(EVENT) == "filter.not"
    assert compiled(leaf("data.source", equals="x")).why_not(EVENT) == "filter"


NAMES = st.sampled_from(["a", "b", "c"])
TIMES = st.sampled_from(
    ["2022-01-01T00:00:00Z", "2022-01-01T09:00:00+09:00", "2022-06-01T00:00:00.5Z", "2022-13-01T00:00:00Z"]
)
NUMBERS = st.integers(-3, 3) | st.floats(-2, 2)
SCALARS = st.none() | st.booleans() | NUMBERS | TIMES | st.sampled_from(["", "a", "ab", "1"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
EVENTS = st.dictionaries(NAMES, VALUES, max_size=3)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
GOOD_TIMES = TIMES.filter(lambda text: "-13-" not in text)


def range_of(bound: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), bound, min_size=1, max_size=4)


LEAVES = st.one_of(
    st.fixed_dictionaries({"path": PATHS, "equals": SCALARS}),
    st.fixed_dictionaries({"path": PATHS, "in": st.lists(SCALARS, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"path": PATHS, "exists": st.booleans()}),
    st.fixed_dictionaries({"path": PATHS, "prefix": st.sampled_from(["a", "20", "1"])}),
    st.fixed_dictionaries({"path": PATHS, "range": range_of(NUMBERS) | range_of(GOOD_TIMES)}),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=8,
)


def naive(condition: Any, event: Any) -> bool:
    """The grammar in words, written down anew and without care for cost."""
    if "all" in condition:
        return all(naive(part, event) for part in condition["all"])
    if "any" in condition:
        return any(naive(part, event) for part in condition["any"])
    if "not" in condition:
        return not naive(condition["not"], event)
    found = [event]
    for name in condition["path"].split("."):
        found = [one[name] for one in found if isinstance(one, dict) and name in one]
    if "exists" in condition:
        return condition["exists"] == bool(found)
    return bool(found) and naive_test(condition, found[0])


def naive_test(condition: Any, value: Any) -> bool:
    if "prefix" in condition:
        return isinstance(value, str) and value[: len(condition["prefix"])] == condition["prefix"]
    if "range" in condition:
        return all(naive_bound(name, value, bound) for name, bound in condition["range"].items())
    wanted = condition["in"] if "in" in condition else [condition["equals"]]
    return any(kind(value) == kind(one) and value == one for one in wanted)


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def naive_bound(name: str, value: Any, bound: Any) -> bool:
    if kind(value) != kind(bound):
        return False
    if isinstance(bound, str):
        try:
            value, bound = datetime.fromisoformat(value), datetime.fromisoformat(bound)
        except ValueError:
            return False
        if value.tzinfo is None:
            return False
    return {"gt": value > bound, "gte": value >= bound, "lt": value < bound, "lte": value <= bound}[name]


@settings(max_examples=200, deadline=None)
@given(CONDITIONS, EVENTS)
def test_evaluation_is_what_a_naive_reading_says(condition: Any, event: Any) -> None:
    found = compiled(condition)
    assert found.holds(event) is naive(condition, event)
    if not found.holds(event):
        assert found.why_not(event).startswith("filter")


JSON = st.recursive(
    SCALARS | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "path", "equals", "in", "exists", "prefix", "range", "gt"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON, EVENTS)
def test_whatever_it_is_given_it_says_so_or_takes_it(condition: Any, event: Any) -> None:
    try:
        found = compiled(condition)
    except BadFilter:
        pass
    else:
        assert found.holds(event) is naive(condition, event)
