"""The board is what the counts and publications say: sums over partitions, as-of, today, the chart's days."""

from datetime import UTC, date, datetime, timedelta

from services.metrics.domain.counts import Change, hour_of
from services.metrics.domain.evaluation import Judged, assemble, judge
from services.metrics.domain.hours import Hours, Now
from services.metrics.domain.publications import Publication

AS_OF = datetime(2022, 3, 31, 15, tzinfo=UTC)  # midnight after 31 March in Japan
START = AS_OF - timedelta(days=120)


def calm_hours(per_hour: int = 1) -> Hours:
    hours = Hours()
    for hour in range(hour_of(START), hour_of(AS_OF)):
        hours.put(f"all|{hour}|0", hour, Change(per_hour, 0, per_hour))
    return hours


def publication_at(at: datetime) -> Publication:
    return Publication("p", "magazine_issue", at, None, None, ())


def test_partitions_are_summed_and_a_row_replaces_what_it_said_before() -> None:
    hours = Hours()
    hours.put("a", 100, Change(2, 1, 3))
    hours.put("b", 100, Change(1, 0, 1))
    hours.put("a", 100, Change(5, 1, 6))
    assert (hours.joins(), hours.members(), hours.joins_between(100, 101)) == (7, 7, 7)


def test_only_growth_makes_the_ledger_old() -> None:
    hours = Hours()
    hours.put("a", 100, Change(0, 0, 1))
    assert hours.take_changed_from() is None
    hours.put("a", 100, Change(1, 0, 2))
    assert hours.take_changed_from() == 100
    assert hours.take_changed_from() is None


def test_the_ledger_counts_the_window_of_a_publication() -> None:
    at = AS_OF - timedelta(days=30, minutes=30)
    judged = judge(calm_hours(), {"p": publication_at(at)}, AS_OF)
    (row,) = judged.rows
    assert (row.observed, row.complete) == (168, True)
    assert row.window_from == at.replace(minute=0)
    assert row.low <= max(row.extra, 0) <= row.high


def test_a_publication_of_the_future_is_not_in_the_ledger_yet() -> None:
    assert judge(calm_hours(), {"p": publication_at(AS_OF + timedelta(hours=1))}, AS_OF).rows == ()


def test_without_any_join_every_row_has_too_little_data() -> None:
    judged = judge(Hours(), {"p": publication_at(AS_OF - timedelta(days=3))}, AS_OF)
    assert [(row.observed, row.verdict) for row in judged.rows] == [(0, "too_little_data")]


def test_a_stream_that_says_it_began_before_its_first_join_had_quiet_days() -> None:
    published = {"p": publication_at(START + timedelta(hours=6))}
    (unknown,) = judge(calm_hours(), published, AS_OF).rows
    (quiet,) = judge(calm_hours(), published, AS_OF, START - timedelta(days=90)).rows
    assert unknown.verdict == "too_little_data"
    assert quiet.verdict != "too_little_data"
    assert quiet.expected < unknown.expected


def test_before_the_first_fact_of_a_stream_nothing_is_known() -> None:
    board = assemble(Hours(), judge(Hours(), {}, None), Now(None))
    assert (board.as_of, board.now, board.members) == (None, None, 0)


def test_midnight_still_belongs_to_the_day_that_ends() -> None:
    assert Now(AS_OF).today == date(2022, 3, 31)
    assert Now(AS_OF + timedelta(minutes=1)).today == date(2022, 4, 1)


def test_today_is_live_before_its_hour_is_judged() -> None:
    hours = calm_hours()
    judged = judge(hours, {}, AS_OF)
    late = hour_of(AS_OF)
    hours.put("now", late, Change(4, 0, 4))
    board = assemble(hours, judged, Now(AS_OF + timedelta(minutes=20)))
    assert (board.as_of, board.today_joins) == (AS_OF, 4)
    assert (board.days[-1].day, board.days[-1].joins) == (date(2022, 4, 1), 4)


def test_the_chart_has_a_band_and_joins_known_by_the_day() -> None:
    hours = calm_hours()
    hours.put("by-day", hour_of(AS_OF) - 24, Change(0, 10, 10))
    last = judge(hours, {}, AS_OF).days[-1]
    assert (last.day, last.joins) == (date(2022, 3, 31), 34)
    assert last.low is not None
    assert last.high is not None
    assert last.low <= 24 <= last.high


def test_nothing_judged_is_an_empty_ledger() -> None:
    assert Judged().rows == ()
