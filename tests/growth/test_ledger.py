"""What a row says about one publication."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from kairan.year.counts import Cause, World
from services.metrics.growth import Joins, Publication, ledger
from tests.growth.streams import START, at_hour, judged

DAY_H = 24


def steady(days: int, per_day: float = 48.0, seed: int = 3) -> NDArray[np.int64]:
    return np.random.default_rng(seed).poisson(per_day / 24, days * DAY_H).astype(np.int64)


def test_a_plain_effect_is_clear_and_its_range_holds_the_truth() -> None:
    counts = steady(80)
    counts[60 * DAY_H + 9 : 60 * DAY_H + 57] += 5
    row = judged(counts, [("article", 60 * DAY_H + 9)]).rows[0]
    assert row.verdict == "clear"
    assert row.low <= 240 <= row.high
    assert row.extra == pytest.approx(240, abs=60)


def test_nothing_is_not_called_clear() -> None:
    rows = [judged(steady(80, seed=seed), [("magazine_issue", 60 * DAY_H)]).rows[0] for seed in range(40)]
    assert sum(row.verdict == "clear" for row in rows) <= 2
    assert abs(np.mean([row.extra for row in rows])) < 10


def test_the_range_starts_at_zero_where_fewer_came_than_expected() -> None:
    counts = steady(80)
    counts[60 * DAY_H :] = 0
    row = judged(counts, [("article", 60 * DAY_H)]).rows[0]
    assert row.extra < 0
    assert row.low == 0
    assert row.verdict == "unclear"


def test_the_window_is_168_hours_from_the_start_of_the_hour_of_publication() -> None:
    counts = steady(80)
    published = at_hour(60 * DAY_H) + timedelta(minutes=59, seconds=59)
    row = ledger(Joins(START, counts), [Publication("a", "article", published)], at_hour(80 * DAY_H)).rows[0]
    assert row.window_from == at_hour(60 * DAY_H)
    assert row.window_to == at_hour(60 * DAY_H + 168)
    assert row.complete
    assert row.observed == counts[60 * DAY_H : 60 * DAY_H + 168].sum()
    assert row.published_at == published


def test_an_open_window_is_cut_at_the_as_of() -> None:
    counts = steady(80)
    row = judged(counts, [("article", 60 * DAY_H)], as_of_h=60 * DAY_H + 30).rows[0]
    assert not row.complete
    assert row.window_to == at_hour(60 * DAY_H + 30)
    assert row.observed == counts[60 * DAY_H : 60 * DAY_H + 30].sum()
    assert row.expected == pytest.approx(60, rel=0.25)


def test_fewer_than_42_days_are_too_little_whatever_the_count() -> None:
    counts = steady(80)
    counts[41 * DAY_H : 43 * DAY_H] += 1000
    early, late = judged(counts, [("article", 42 * DAY_H - 1), ("article", 42 * DAY_H)]).rows
    assert early.verdict == "too_little_data"
    assert late.verdict != "too_little_data"


def test_a_publication_after_the_as_of_has_no_row() -> None:
    found = judged(steady(80), [("article", 50 * DAY_H), ("article", 70 * DAY_H)], as_of_h=60 * DAY_H)
    assert [row.id for row in found.rows] == ["p0"]


def test_rows_are_in_order_of_publication() -> None:
    found = judged(steady(80), [("article", 70 * DAY_H), ("session", 50 * DAY_H), ("broadcast", 60 * DAY_H)])
    assert [row.id for row in found.rows] == ["p1", "p2", "p0"]


def test_growth_is_not_taken_for_an_effect() -> None:
    world = World(days=120, per_day=60, growth=2.0)
    at = 106 * DAY_H  # a week without a holiday: this world has none
    extras = [
        judged(world.joins([], np.random.default_rng(seed)).sum(1), [("article", at)]).rows[0].extra
        for seed in range(40)
    ]
    weekly = 7 * 60
    assert np.mean(extras) < 0.08 * weekly  # a level that lags 36 days would be 20 % too low


def test_what_a_neighbour_brought_is_expected_not_extra() -> None:
    world, at = World(days=110, per_day=30), 90 * DAY_H + 8
    extras, surplus = [], []
    for seed in range(30):
        joins = world.joins([Cause(at, 200, mean_h=60)], np.random.default_rng(seed))
        neighbour, idle = judged(joins.sum(1), [("magazine_issue", at), ("session", at + 72)]).rows
        extras.append(idle.extra)
        surplus.append(idle.observed - joins[at + 72 : at + 72 + 168, 0].sum())
        assert neighbour.verdict == "clear"
    assert np.mean(surplus) > 60
    assert abs(np.mean(extras)) < 25


def test_twins_in_one_hour_share_the_credit() -> None:
    counts = steady(80)
    counts[60 * DAY_H : 62 * DAY_H] += 5
    first, second = judged(counts, [("article", 60 * DAY_H), ("article", 60 * DAY_H)]).rows
    assert first.extra == pytest.approx(second.extra, abs=40)  # drawn, not computed
    assert (first.credit, first.credit_low, first.credit_high) == (second.credit, second.credit_low, second.credit_high)
    assert first.extra == pytest.approx(120, abs=60)


def test_a_surge_that_begins_days_later_does_not_make_a_publication_clear() -> None:
    counts = steady(80)
    counts[64 * DAY_H : 65 * DAY_H] += 12
    assert judged(counts, [("article", 60 * DAY_H)]).rows[0].verdict == "unclear"


def test_a_surge_in_the_past_does_not_raise_the_baseline() -> None:
    counts = steady(100)
    counts[50 * DAY_H : 51 * DAY_H] += 200
    row = judged(counts, [("article", 80 * DAY_H)]).rows[0]
    assert row.expected == pytest.approx(7 * 48, rel=0.15)


def test_a_silent_stream_expects_nobody() -> None:
    row = judged(np.zeros(80 * DAY_H, dtype=np.int64), [("article", 60 * DAY_H)]).rows[0]
    assert (row.observed, row.low, row.high, row.verdict) == (0, 0, 0, "unclear")
    assert row.expected < 1


def test_there_is_a_ledger_without_joins_without_publications_and_before_the_stream() -> None:
    nothing = Joins(START, np.zeros(0, dtype=np.int64))
    assert ledger(nothing, [], START).rows == ()
    row = ledger(nothing, [Publication("a", "article", START - timedelta(days=3))], START).rows[0]
    assert (row.observed, row.verdict, row.complete) == (0, "too_little_data", False)


def test_the_band_has_one_day_for_every_day_in_japan() -> None:
    band = judged(steady(80), []).band
    assert band.start.size == band.expected.size == band.low.size == band.high.size == 80
    assert band.start[0].astype(datetime).replace(tzinfo=UTC) == START
    assert band.observed.sum() == steady(80).sum()
    inside = (band.low <= band.observed) & (band.observed <= band.high)
    assert inside.mean() > 0.8


@pytest.mark.parametrize("as_of", [at_hour(1.5), datetime(2020, 1, 6)])  # noqa: DTZ001
def test_an_as_of_is_a_whole_hour_with_a_zone(as_of: datetime) -> None:
    with pytest.raises(ValueError, match="whole hour"):
        ledger(Joins(START, steady(2)), [], as_of)


def test_joins_start_at_a_whole_hour_and_are_not_negative() -> None:
    with pytest.raises(ValueError, match="whole hour"):
        Joins(START + timedelta(minutes=1), steady(1))
    with pytest.raises(ValueError, match="negative"):
        Joins(START, np.array([-1], dtype=np.int64))


kinds = st.sampled_from(("magazine_issue", "broadcast", "session", "session_recording", "minutes", "article", "new"))
publications = st.lists(st.tuples(kinds, st.integers(-50, 75 * DAY_H)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(publications, st.integers(0, 2**32), st.sampled_from((0.0, 0.2, 7.0, 500.0, 200_000.0)), st.integers(1, 1700))
def test_whatever_happens_a_row_adds_up(
    published: list[tuple[str, int]], seed: int, per_day: float, as_of_h: int
) -> None:
    counts = steady(70, per_day, seed)
    found = judged(counts, published, as_of_h)
    assert len(found.rows) == sum(hour <= as_of_h for _, hour in published)
    for row in found.rows:
        first, last = ((moment - START) // timedelta(hours=1) for moment in (row.window_from, row.window_to))
        assert row.observed == counts[max(first, 0) : max(last, 0)].sum()
        assert row.extra == pytest.approx(row.observed - row.expected, abs=0.011)
        assert 0 <= row.low <= row.high <= row.observed
        assert np.isfinite(row.expected)
        assert row.expected >= 0
        assert row.alarm_at is None or row.published_at < row.alarm_at


@settings(max_examples=20, deadline=None)
@given(publications, st.integers(0, 2**32), st.integers(1, 1700), st.randoms(use_true_random=False))
def test_joins_after_the_as_of_and_the_order_of_publications_do_not_matter(
    published: list[tuple[str, int]], seed: int, as_of_h: int, random: object
) -> None:
    counts = steady(70, 20.0, seed)
    other = counts.copy()
    other[as_of_h:] = 999
    known = [Publication(f"p{i}", kind, at_hour(hour)) for i, (kind, hour) in enumerate(published)]
    shuffled = known.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    as_of = at_hour(as_of_h)
    assert ledger(Joins(START, counts), known, as_of).rows == ledger(Joins(START, other), shuffled, as_of).rows
