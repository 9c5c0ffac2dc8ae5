"""From counts and publications to what readers see: the ledger of `growth` in the words of the board, and today."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from services.metrics import growth
from services.metrics.domain.board import Audit, Board, DayBar, Ledger, Row, Series, Spike
from services.metrics.domain.captured import Captured
from services.metrics.domain.counts import ALL, first_hour_of_day, hour_of, moment_of
from services.metrics.domain.hours import Hours, Now
from services.metrics.domain.publications import Publication

DAYS_SHOWN = 400
NOTHING = Ledger()
_MOMENT = timedelta(microseconds=1)
_TOKYO = timedelta(hours=9)


@dataclass(frozen=True)
class Judged:
    """What `growth` said of one stream: the ledger and the days of the chart."""

    ledger: Ledger = NOTHING
    days: tuple[DayBar, ...] = ()

    @property
    def as_of(self) -> datetime | None:
        return self.ledger.as_of

    @property
    def rows(self) -> tuple[Row, ...]:
        return self.ledger.publications


def judge(
    hours: Hours,
    publications: Mapping[str, Publication],
    as_of: datetime | None,
    since: datetime | None = None,
    *,
    stream: str = ALL,
    captured: Captured | None = None,
) -> Judged:
    """The ledger as of `as_of`, of a stream that is known from `since` (None: from its first join).

    Without a join there is nothing to compare with: every row has too little data.
    """
    if as_of is None:
        return Judged(Ledger(stream=stream))
    end = hour_of(as_of)
    known = [each for each in publications.values() if each.published_at <= as_of]
    joins = hours.arrays(end, hour_of(since) if since else None) or _no_joins(known, end)
    asked = [_asked(each, joins, captured) for each in known]
    found = growth.ledger(joins, asked, as_of)
    ledger = Ledger(
        stream=stream,
        start=joins.start if joins.counts.size else None,
        as_of=as_of,
        joins=found.joins,
        organic=found.organic,
        publications=tuple(_row(row, publications[row.id]) for row in found.rows),
        unexplained=tuple(Spike(**vars(each)) for each in found.unexplained),
        audit=Audit(**vars(found.audit)),
        series=tuple(Series(**vars(each)) for each in found.series),
    )
    return Judged(ledger, tuple(_days(found.band, hours))[-DAYS_SHOWN:] if stream == ALL else ())


def assemble(hours: Hours, judged: Judged, now: Now) -> Board:
    """Everything that readers see, without a revision yet."""
    today = _today(hours, now)
    return Board(
        now=now.now,
        joins=hours.joins(),
        today_joins=today.joins if today else 0,
        members=hours.members(),
        ledger=judged.ledger,
        days=_with_today(judged.days, today),
    )


def _no_joins(publications: Iterable[Publication], end: int) -> growth.Joins:
    first = min((hour_of(each.published_at) for each in publications), default=end)
    return growth.Joins(moment_of(first), np.zeros(max(end - first, 0), dtype=np.int64))


def _asked(known: Publication, joins: growth.Joins, captured: Captured | None) -> growth.Publication:
    said = growth.Publication(known.id, known.kind, known.published_at, known.series_id)
    named = captured.of(known, joins, hour_of(joins.start)) if captured else None
    return said if named is None else replace(said, captured=named)


def _row(row: growth.Row, known: Publication) -> Row:
    """The science's row with what only the publication says of itself."""
    return Row(**vars(row), title=known.title, series_id=known.series_id)


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
