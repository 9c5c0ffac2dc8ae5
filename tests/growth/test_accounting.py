"""Growth accounting and its masks: identities that always hold."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.growth import accounting, masks
from services.metrics.growth.milestones import reached, values

counts = st.integers(0, 5_000)
days = st.dictionaries(st.integers(0, 400), st.integers(-20, 50), max_size=60)
mixes = st.dictionaries(st.sampled_from(["referral", "publication", "search", "unknown", "other"]), counts)
rows = st.dictionaries(st.integers(1, 12), st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


@given(days, st.integers(0, 400), st.integers(0, 400))
def test_members_change_by_what_came_and_left_in_between(changes: dict[int, int], one: int, other: int) -> None:
    start, end = sorted((one, other))
    between = sum(change for at, change in changes.items() if start <= at < end)
    assert accounting.members_at(changes, end) - accounting.members_at(changes, start) == between


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=6))
def test_growth_factors_of_consecutive_periods_multiply(members: list[int]) -> None:
    whole = accounting.growth_factor(members[0], members[-1])
    product = 1.0
    for before, now in itertools.pairwise(members):
        factor = accounting.growth_factor(before, now)
        assert factor is not None
        product *= factor
    assert whole is not None
    assert abs(product - whole) <= 1e-9 * whole


def test_there_is_no_growth_factor_from_nobody() -> None:
    assert accounting.growth_factor(0, 12) is None


@given(counts, st.integers(0, 1_788))
def test_reach_is_a_share_of_all(members: int, organisations: int) -> None:
    found = accounting.reach(members, organisations)
    assert round(found.members_share * 3_300_000) == members
    assert round(found.organisations_share * 1_788) == organisations


@given(mixes)
def test_sources_add_up_and_unknown_is_always_there(joins: dict[str, int]) -> None:
    mix = accounting.source_mix(joins)
    assert mix[-1].source == "unknown"
    assert sum(one.joins for one in mix) == sum(joins.values())
    assert abs(sum(one.share for one in mix) - bool(sum(joins.values()))) < 1e-9


@given(st.integers(0, 500), st.dictionaries(st.integers(1, 6), st.integers(0, 40)))
def test_everybody_is_a_root_or_was_referred(roots: int, by_depth: dict[int, int]) -> None:
    joined = roots + sum(by_depth.values())
    found = accounting.referral(joined, by_depth)
    assert found.joined == roots + found.referred
    if roots:
        assert abs(roots / (1 - found.coefficient) - joined) < 1e-6 * joined
    assert found.mean_depth <= found.deepest


@given(st.dictionaries(st.sampled_from(["2021-04", "2021-05", "undated"]), counts), st.data())
def test_cohorts_add_up_to_the_members(joined: dict[str, int], data: st.DataObject) -> None:
    left = {month: data.draw(st.integers(0, n)) for month, n in joined.items()}
    found = accounting.cohorts(joined, left)
    assert sum(one.still for one in found) == sum(joined.values()) - sum(left.values())
    assert all(one.still == one.joined - one.left >= 0 for one in found)


@given(rows)
def test_no_cell_of_one_to_nine_people_is_shown_nor_left_over(found: dict[int, tuple[int, int]]) -> None:
    hidden = masks.hidden(found)
    for key, cells in found.items():
        assert key in hidden or all(cell == 0 or cell >= 10 for cell in cells)
    whole_is_hidden = hidden == found.keys()
    for part in range(2):
        left_over = sum(found[key][part] for key in hidden)
        assert whole_is_hidden or left_over == 0 or left_over >= 10
    assert whole_is_hidden or len(hidden) != 1


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20))
def test_no_two_exports_of_a_figure_differ_by_fewer_than_ten(actual: list[int]) -> None:
    shown: list[int] = []
    for now in actual:
        shown.append(masks.moved(shown[-1] if shown else None, now))
        assert abs(shown[-1] - now) < 10
    assert all(abs(later - earlier) not in range(1, 10) for earlier, later in itertools.pairwise(shown))


def test_milestones_are_round_numbers() -> None:
    found = values()
    assert [next(found) for _ in range(8)] == [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000]


def test_a_milestone_is_the_end_of_the_hour_that_did_it_and_the_highest_of_it() -> None:
    assert reached({5: 99, 7: 1, 9: 2_400}, 100) == [(100, 8), (2_500, 10)]
    assert reached({5: 100, 6: -50, 7: 50}, 100) == [(100, 6)]
    assert reached({5: 100}, 5) == []


@given(days, st.integers(0, 200), st.integers(0, 401))
def test_what_was_reached_by_an_hour_stays_reached(changes: dict[int, int], end: int, later: int) -> None:
    many = {hour: 10 * change for hour, change in changes.items()}
    assert reached(many, end) == [one for one in reached(many, max(end, later)) if one.hour <= end]
