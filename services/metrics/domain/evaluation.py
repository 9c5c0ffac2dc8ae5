"""From counts and publications to what readers see: sums over partitions, the ledger of `growth`, today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from services.metrics import growth
from services.metrics.domain.board import Board, DayBar, Row
from services.metrics.domain.counts import Change, first_hour_of_day, hour_of, moment_of
from services.metrics.domain.publications import Publication

DAYS_SHOWN = 400
_MOMENT = timedelta(microseconds=1)
_TOKYO = timedelta(hours=9)


class Hours:
    """The counts of one stream, summed over partitions; kept up to date row by row."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, Change]] = {}
        self._sums: dict[int, list[int]] = {}
        self._totals = [0, 0, 0]
        self._changed_from: int | None = None

    def put(self, row_id: str, hour: int, change: Change) -> None:
        """What a row says now; replaces what it said before."""
        before = self._rows.get(row_id)
        if before is not None and before[1] == change:
            return
        self._rows[row_id] = (hour, change)
        sums = self._sums.setdefault(hour, [0, 0, 0])
        for index, value in enumerate(change):
            added = value - (before[1][index] if before else 0)
            sums[index] += added
            self._totals[index] += added
        growth_before = before[1][:2] if before else (0, 0)
        if change[:2] != growth_before:
            self._changed_from = hour if self._changed_from is None else min(self._changed_from, hour)

    def take_change_before(self, end: int) -> bool:
        """Whether joins before hour `end` changed since this was last asked."""
        changed = self._changed_from is not None and self._changed_from < end
        self._changed_from = None
        return changed

    def first(self) -> int | None:
        """The first hour that has a join; None when there is none."""
        return min((hour for hour, sums in self._sums.items() if sums[0] > 0 or sums[1] > 0), default=None)

    def joins_between(self, start: int, end: int) -> int:
        """Joins of either precision from hour `start` up to hour `end`, not included."""
        return sum(sum(self._sums[hour][:2]) for hour in range(start, end) if hour in self._sums)

    def joins(self) -> int:
        """All joins that count as growth."""
        return self._totals[0] + self._totals[1]

    def members(self) -> int:
        """Members by all that is known."""
        return self._totals[2]

    def arrays(self, end: int, since: int | None = None) -> growth.Joins | None:
        """Joins by the hour up to hour `end`, not included, from hour `since` or the first join, whatever is earlier;
        None when no join comes before `end`."""
        first = self.first()
        if first is None or first >= end:
            return None
        if since is not None:
            first = min(first, since)
        counts, day_joins = np.zeros((2, end - first), dtype=np.int64)
        for hour, (joins, by_day, _) in self._sums.items():
            if first <= hour < end:
                counts[hour - first] = max(joins, 0)
                day_joins[hour - first] = max(by_day, 0)
        return growth.Joins(moment_of(first), counts, day_joins)


class Now(NamedTuple):
    """The community's now (None in a stream before its first time-passed) and the end of the last known hour."""

    now: datetime | None

    @property
    def as_of(self) -> datetime | None:
        return moment_of(hour_of(self.now)) if self.now else None

    @property
    def today(self) -> date | None:
        """The Asia/Tokyo day that is running, or that has just ended at midnight."""
        return (self.now - _MOMENT + _TOKYO).astimezone(UTC).date() if self.now else None


@dataclass(frozen=True)
class Judged:
    """What `growth` said: the ledger's rows and the days of the chart."""

    as_of: datetime | None = None
    rows: tuple[Row, ...] = ()
    days: tuple[DayBar, ...] = ()


def judge(
    hours: Hours, publications: Mapping[str, Publication], as_of: datetime | None, since: datetime | None = None
) -> Judged:
    """The ledger as of `as_of`, of a stream that is known from `since` (None: from its first join).

    Without a join there is nothing to compare with: every row has too little data.
    """
    if as_of is None:
        return Judged()
    end = hour_of(as_of)
    known = [each for each in publications.values() if each.published_at <= as_of]
    joins = hours.arrays(end, hour_of(since) if since else None) or _no_joins(known, end)
    asked = [growth.Publication(each.id, each.kind, each.published_at) for each in known]
    ledger = growth.ledger(joins, asked, as_of)
    rows = tuple(_row(row, publications[row.id]) for row in ledger.rows)
    return Judged(as_of, rows, tuple(_days(ledger.band, hours))[-DAYS_SHOWN:])


def assemble(hours: Hours, judged: Judged, now: Now) -> Board:
    """Everything that readers see, without a revision yet."""
    today = _today(hours, now)
    return Board(
        as_of=judged.as_of,
        now=now.now,
        joins=hours.joins(),
        today_joins=today.joins if today else 0,
        members=hours.members(),
        publications=judged.rows,
        days=_with_today(judged.days, today),
    )


def _no_joins(publications: Iterable[Publication], end: int) -> growth.Joins:
    first = min((hour_of(each.published_at) for each in publications), default=end)
    return growth.Joins(moment_of(first), np.zeros(max(end - first, 0), dtype=np.int64))


def _row(row: growth.Row, known: Publication) -> Row:
    return Row(
        id=row.id,
        kind=known.kind,
        published_at=row.published_at,
        window_from=row.window_from,
        window_to=row.window_to,
        complete=row.complete,
        observed=row.observed,
        expected=round(row.expected, 3),
        extra=round(row.extra, 3),
        low=row.low,
        high=row.high,
        verdict=row.verdict,
        alarm_at=row.alarm_at,
        title=known.title,
        series_id=known.series_id,
    )


def _days(band: growth.Band, hours: Hours) -> Iterable[DayBar]:
    starts = band.start.astype("datetime64[h]").astype(np.int64)
    for start, expected, low, high in zip(starts, band.expected, band.low, band.high, strict=True):
        first = first_hour_of_day(int(start))
        yield DayBar(
            day=_day_of(first),
            joins=max(hours.joins_between(first, first + 24), 0),
            expected=round(float(expected), 2) if np.isfinite(expected) else None,
            low=float(low) if np.isfinite(expected) else None,
            high=float(high) if np.isfinite(expected) else None,
        )


def _day_of(hour: int) -> date:
    return (moment_of(hour) + _TOKYO).date()


def _today(hours: Hours, now: Now) -> DayBar | None:
    if now.now is None or now.today is None:
        return None
    first = first_hour_of_day(hour_of(now.now - _MOMENT))
    return DayBar(day=now.today, joins=max(hours.joins_between(first, first + 24), 0))


def _with_today(days: tuple[DayBar, ...], today: DayBar | None) -> tuple[DayBar, ...]:
    """The running day's bar is live; its band, which a cut day does not have yet, is drawn once the day is over."""
    if today is None or not days:
        return days
    if days[-1].day == today.day:
        return (*days[:-1], days[-1].model_copy(update={"joins": today.joins}))
    return (*days, today) if today.day > days[-1].day else days
