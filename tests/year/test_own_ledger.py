"""A stream from files to its ledger: the object that `kairan ledger --json` prints."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairan.year.csv_rules import Rules
from kairan.year.csv_streams import KINDS, Arrived, Published, Stream, read_stream
from kairan.year.judged import judge
from kairan.year.own_ledger import ledger_of
from services.metrics.growth import Joins, Publication, ledger

START = datetime(2021, 4, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROW = [
    *("id", "kind", "published_at", "window_from", "window_to", "complete", "observed", "expected", "extra"),
    *("low", "high", "credit", "credit_low", "credit_high", "joint_with", "joint_credit", "joint_low", "joint_high"),
    *("log_evidence", "alarm_at", "verdict"),
]
HEAD = ["stream", "joins", "from", "as_of", "organic", "publications", "unexplained", "audit", "series"]


def published(name: str, hours: float, kind: str = "article", series: str | None = None) -> Published:
    return Published(name, kind, START + timedelta(hours=hours), name, name, series)


def stream(counts: list[int], *known: Published, named: tuple[Arrived, ...] = ()) -> Stream:
    arrived = [Arrived(START + hour * HOUR, joins) for hour, joins in enumerate(counts) if joins]
    every = tuple(sorted([*arrived, *named], key=lambda one: one.hour))
    return Stream("here", START, START + len(counts) * HOUR, every, known)


def test_the_object_has_exactly_the_fields_of_the_contract() -> None:
    answer = judge(stream([1] * 24 * 60, published("a", 24 * 50 + 5.5, series="s"))).answer
    assert list(answer) == HEAD
    assert list(answer["publications"][0]) == ROW
    assert list(answer["audit"]) == ["placebos", "alarms", "threshold"]
    assert (answer["stream"], answer["from"], answer["as_of"]) == (
        "here",
        "2021-04-01T00:00:00Z",
        "2021-05-31T00:00:00Z",
    )
    row = answer["publications"][0]
    assert (row["published_at"], row["window_from"]) == ("2021-05-21T05:30:00Z", "2021-05-21T05:00:00Z")


def test_joins_that_name_a_publication_are_its_captured_ones_and_others_are_just_joins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Any] = []

    def noted(joins: Joins, publications: list[Publication], as_of: datetime) -> Any:
        seen.extend([joins, *publications])
        return ledger(joins, publications, as_of)

    monkeypatch.setattr("kairan.year.own_ledger.ledger", noted)
    named = Arrived(START + HOUR, 2, "a"), Arrived(START + HOUR, 3, "referral"), Arrived(START + 2 * HOUR, 1, "a")
    ledger_of(stream([1, 0, 4, 0], published("a", 0.5), published("b", 1), named=named))
    joins, a, b = seen
    assert joins.counts.tolist() == [1, 5, 5, 0]
    assert a.captured.tolist() == [0, 2, 1, 0]
    assert b.captured.size == 0


def test_days_of_the_chart_are_days_in_tokyo() -> None:
    judged = judge(stream([1] * 24))
    assert (judged.first_day, list(judged.joins)) == (date(2021, 4, 1), [15, 9])


kinds = st.sampled_from(KINDS)


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """From an hour to ten weeks, quiet or busy, with publications anywhere in them, also at both ends."""
    hours = draw(st.integers(1, 24 * 70))
    rate = draw(st.sampled_from((0.0, 0.02, 0.3, 5.0, 400.0)))
    counts = np.random.default_rng(draw(st.integers(0, 99))).poisson(rate, hours)
    known = draw(st.lists(st.tuples(st.floats(0, 1), kinds, st.sampled_from((None, "s", "t"))), max_size=5))
    every = [published(f"p{i}", hours * at, kind, series) for i, (at, kind, series) in enumerate(known)]
    return stream(counts.tolist(), *sorted(every, key=lambda one: (one.published_at, one.id)))


@settings(max_examples=40)
@given(streams())
def test_whatever_the_stream_all_numbers_are_finite_and_add_up(given_stream: Stream) -> None:
    answer = judge(given_stream).answer
    assert all(math.isfinite(number) for number in numbers(json.loads(json.dumps(answer))))
    rows = answer["publications"]
    assert {row["id"] for row in rows} == {one.id for one in given_stream.published}
    assert answer["joins"] == given_stream.joins
    assert math.isclose(sum(row["credit"] for row in rows) + answer["organic"], answer["joins"], abs_tol=0.01)
    assert all(START <= datetime.fromisoformat(row["window_from"]) <= given_stream.end for row in rows)


def numbers(answer: Any) -> Iterator[float]:
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, list):
        for one in answer:
            yield from numbers(one)
    elif isinstance(answer, int | float):
        yield answer


def test_a_stream_in_the_future_is_a_stream_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "j.csv").write_text("occurred_at,joins\n2030-01-01T00:00:00Z,3\n2030-03-02T09:00:00Z,1\n")
    (tmp_path / "p.csv").write_text("id,kind,published_at,title_en\na,article,2030-02-20T05:30:00Z,First\n")
    found = read_stream(tmp_path / "j.csv", tmp_path / "p.csv", rules=Rules.counted())
    assert judge(found).answer["publications"][0]["verdict"] in ("unclear", "likely", "clear")
