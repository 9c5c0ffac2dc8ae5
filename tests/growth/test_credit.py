"""Who gets the credit: what must always hold, and how near the truth it is."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kairan.year.counts import Cause, World
from services.metrics.growth import Joins, Ledger, Publication, ledger
from tests.growth.streams import START, at_hour, calendar, judged

DAY_H = 24
KINDS = ("article", "magazine_issue", "broadcast", "session", "session_recording", "minutes")


def steady(days: int, per_day: float = 48.0, seed: int = 3) -> NDArray[np.int64]:
    return np.random.default_rng(seed).poisson(per_day / 24, days * DAY_H).astype(np.int64)


def adds_up(found: Ledger, joins: int) -> None:
    assert found.joins == joins
    assert sum(row.credit for row in found.rows) + found.organic == pytest.approx(joins, abs=1e-6 * (1 + joins))
    assert found.organic >= 0
    for row in found.rows:
        assert 0 <= row.credit_low <= row.credit <= row.credit_high <= joins
        assert row.credit == round(row.credit, 2)
        assert 0 <= row.joint_low <= row.joint_credit <= row.joint_high <= joins
        assert 0 <= row.low <= row.high <= max(row.observed, 0)
        assert np.isfinite(row.expected)


@st.composite
def odd_streams(draw: st.DrawFn) -> tuple[NDArray[np.int64], list[tuple[str, int]]]:
    length = draw(st.sampled_from([1, 23, 200, 1500]))
    rate = draw(st.sampled_from([0.0, 0.02, 2.0, 400.0, 1e6]))
    counts = np.random.default_rng(draw(st.integers(0, 2**32))).poisson(rate, length).astype(np.int64)
    for hour in draw(st.lists(st.integers(0, length - 1), max_size=3)):
        counts[hour] += draw(st.sampled_from([1, 1000, 10**6]))
    counts[: draw(st.integers(0, length))] = 0
    hours = st.one_of(st.sampled_from([-200, -1, 0, length - 1, length]), st.integers(0, length))
    return counts, draw(st.lists(st.tuples(st.sampled_from(KINDS), hours), max_size=8))


@settings(max_examples=40, deadline=None)
@given(odd_streams())
def test_credits_and_organic_joins_add_up_to_what_was_observed(
    odd: tuple[NDArray[np.int64], list[tuple[str, int]]],
) -> None:
    counts, published = odd
    adds_up(judged(counts, published), int(counts.sum()))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 1679), st.integers(0, 3)), min_size=1, max_size=5))
def test_captured_joins_are_credited_first_and_never_more_than_there_were(
    seed: int, published: list[tuple[int, int]]
) -> None:
    counts = steady(70, 20.0, seed)
    rng = np.random.default_rng(seed)
    known = [
        Publication(f"p{i}", "article", at_hour(hour), captured=rng.poisson(rate, counts.size).astype(np.int64))
        for i, (hour, rate) in enumerate(published)
    ]
    found = ledger(Joins(START, counts), known, at_hour(counts.size))
    adds_up(found, int(counts.sum()))
    if len(known) == 1:
        hour = published[0][0]
        assert found.rows[0].credit >= np.minimum(known[0].captured, counts)[hour:].sum()


def test_a_credit_has_two_places_also_where_a_join_was_named() -> None:
    counts, hours = steady(70, 12.0, 7), [24 * (45 + 3 * issue) for issue in range(6)]
    counts[hours] += 1
    named = np.eye(counts.size, dtype=np.int64)[hours]
    known = [Publication(f"p{i}", "article", at_hour(at), captured=named[i]) for i, at in enumerate(hours)]
    found = ledger(Joins(START, counts), known, at_hour(counts.size))
    adds_up(found, int(counts.sum()))
    assert all(row.credit > 1 for row in found.rows)


def test_two_captured_sources_in_one_hour_both_count() -> None:
    counts, named = steady(80, 12.0), np.zeros(80 * DAY_H, dtype=np.int64)
    counts[60 * DAY_H] = 50
    named[60 * DAY_H] = 20
    known = [Publication(name, "article", at_hour(60 * DAY_H), captured=named) for name in "ab"]
    found = ledger(Joins(START, counts), known, at_hour(counts.size))
    for row in found.rows:
        assert row.credit_low >= 20
        assert row.low >= 20
        assert row.expected >= 20  # what named the other one


def test_joins_that_named_a_publication_before_it_was_out_are_not_its_own() -> None:
    counts, named = steady(80), np.zeros(80 * DAY_H, dtype=np.int64)
    named[: 50 * DAY_H] = 1
    with_names = Publication("a", "article", at_hour(60 * DAY_H), captured=named)
    without = Publication("a", "article", at_hour(60 * DAY_H))
    rows = [ledger(Joins(START, counts), [one], at_hour(counts.size)).rows[0] for one in (with_names, without)]
    assert rows[0] == rows[1]


def test_publications_less_than_a_day_apart_have_a_joint_credit() -> None:
    counts = steady(80)
    counts[60 * DAY_H : 62 * DAY_H] += 5
    hours = [60 * DAY_H, 60 * DAY_H + 20, 60 * DAY_H + 43, 70 * DAY_H]
    rows = judged(counts, [("article", hour) for hour in hours]).rows
    assert [row.joint_with for row in rows] == [("p1", "p2"), ("p0", "p2"), ("p0", "p1"), ()]
    assert len({(row.joint_credit, row.joint_low, row.joint_high) for row in rows[:3]}) == 1
    assert rows[0].joint_credit == pytest.approx(sum(row.credit for row in rows[:3]), abs=0.02)
    assert rows[0].joint_credit == pytest.approx(240, abs=70)
    apart = sum(row.credit_high - row.credit_low for row in rows[:3])
    assert rows[0].joint_high - rows[0].joint_low < 0.7 * apart  # the sum is known better than its parts
    assert (rows[3].joint_credit, rows[3].joint_low, rows[3].joint_high) == (
        rows[3].credit,
        rows[3].credit_low,
        rows[3].credit_high,
    )


def test_a_chain_goes_by_the_minute() -> None:
    counts, first = steady(80), at_hour(60 * DAY_H) + timedelta(minutes=30)
    for apart, joint in ((timedelta(hours=23, minutes=59), 1), (timedelta(hours=24), 0)):
        known = [Publication("a", "article", first), Publication("b", "article", first + apart)]
        rows = ledger(Joins(START, counts), known, at_hour(counts.size)).rows
        assert [len(row.joint_with) for row in rows] == [joint, joint]


def test_the_same_facts_give_the_same_credit() -> None:
    counts = steady(80)
    published = [("article", 60 * DAY_H), ("session", 60 * DAY_H + 30)]
    assert judged(counts, published).rows == judged(counts.copy(), published).rows


def test_an_unlisted_surge_is_nobodys() -> None:
    counts = steady(100)
    counts[63 * DAY_H : 64 * DAY_H] += 10
    row = judged(counts, [("magazine_issue", 60 * DAY_H), ("session", 80 * DAY_H)]).rows[0]
    assert row.credit < 60


@pytest.mark.parametrize(("per_day", "most"), [(5.5, 0.55), (4000.0, 0.30)])
def test_credits_are_near_the_truth_in_small_and_in_large_streams(per_day: float, most: float) -> None:
    wrong, truth, held = 0.0, 0, []
    for number in range(5):
        rng = np.random.default_rng((88, number))
        planned = calendar(rng)
        scaled = [(kind, _scaled(cause, per_day / 5.5)) for kind, cause in planned]
        joins = World(per_day=per_day, growth=0.35).joins([cause for _, cause in scaled], rng)
        found = judged(joins.sum(1), [(kind, cause.at) for kind, cause in scaled]).by_id()
        brought: Sequence[int] = joins[:, 1:].sum(0).tolist()
        rows = [found[f"p{i}"] for i in range(len(scaled))]
        wrong += sum(abs(row.credit - true) for row, true in zip(rows, brought, strict=True))
        truth += sum(brought)
        held += [row.credit_low <= true <= row.credit_high for row, true in zip(rows, brought, strict=True)]
    assert wrong / truth < most
    assert np.mean(held) > 0.8


def _scaled(cause: Cause, factor: float) -> Cause:
    return Cause(cause.at, cause.expected * factor, cause.mean_h)
