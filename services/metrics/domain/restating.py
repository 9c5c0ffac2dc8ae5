"""What late facts changed: a ledger of then against the ledger that today's facts give for the same hour."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from services.metrics.domain.board import Cause, Changed, Frozen, Ledger, Restated, Row

_SAID = ("kind", "published_at", "series_id")
_FOUND = ("observed", "extra", "low", "high", "credit", "verdict", "alarm_at")
_LEAST = 1.0  # a figure that moved by less than a person is no restatement


class Figures(Frozen):
    """What is remembered of a row."""

    kind: str
    published_at: datetime
    series_id: str | None
    observed: float
    extra: float
    low: float
    high: float
    credit: float
    verdict: str
    alarm_at: datetime | None


class Settled(Frozen):
    """A ledger that ingest had caught up for: what was known then."""

    as_of: datetime
    joins: int
    rows: dict[str, Figures]


def settled(ledger: Ledger) -> Settled | None:
    """What to remember of a ledger."""
    if ledger.as_of is None:
        return None
    names = Figures.model_fields
    rows = {row.id: Figures(**{name: getattr(row, name) for name in names}) for row in ledger.publications}
    return Settled(as_of=ledger.as_of, joins=ledger.joins, rows=rows)


def restated(before: Settled, now: Ledger, revision: int) -> dict[str, Restated]:
    """By publication, what differs between two ledgers of one hour, and why. Gone publications are named too."""
    rows = {row.id: row for row in now.publications}
    heard = _heard(before, rows, now.joins)
    found: dict[str, Restated] = {}
    for publication, row in rows.items():
        figures = before.rows.get(publication)
        changes = tuple(_changes(figures, row))
        if changes:
            own = _own(figures, row)
            reasons = (own,) if own else heard or ("recomputed",)
            found[publication] = Restated(revision=revision, as_of=before.as_of, reasons=reasons, changes=changes)
    for publication, figures in before.rows.items():
        if publication not in rows:
            gone = tuple(_changes(figures, None))
            found[publication] = Restated(revision=revision, as_of=before.as_of, reasons=("withdrawn",), changes=gone)
    return found


def _own(figures: Figures | None, row: Row) -> Cause | None:
    """What was heard late of this very publication."""
    if figures is None:
        return "late_publication"
    return "corrected" if any(getattr(figures, name) != getattr(row, name) for name in _SAID) else None


def _heard(before: Settled, rows: Mapping[str, Row], joins: int) -> tuple[Cause, ...]:
    """What was heard late of joins and of other publications."""
    causes: list[Cause] = []
    if joins > before.joins:
        causes.append("late_joins")
    if joins < before.joins:
        causes.append("voided")
    owns = {_own(before.rows.get(row.id), row) for row in rows.values()}
    causes += [cause for cause in ("late_publication", "corrected") if cause in owns]
    if before.rows.keys() - rows.keys():
        causes.append("withdrawn")
    return tuple(causes)


def _changes(figures: Figures | None, row: Row | None) -> Iterator[Changed]:
    for name in (*_SAID, *_FOUND):
        then = getattr(figures, name) if figures else None
        now = getattr(row, name) if row else None
        if _differ(then, now):
            yield Changed(field=name, before=_plain(then), after=_plain(now))


def _differ(then: Any, now: Any) -> bool:
    numbers = [value for value in (then, now) if isinstance(value, int | float)]
    return bool(abs(then - now) >= _LEAST if len(numbers) == 2 else then != now)


def _plain(value: Any) -> float | str | None:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
