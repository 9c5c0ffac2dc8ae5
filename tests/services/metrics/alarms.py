"""A rule in place of the science: tests of what becomes of an alarm decide themselves when there is one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.metrics.growth.ledger import ledger as real_ledger
from services.metrics.growth.model import Joins, Ledger, Publication, Row

AFTER = timedelta(hours=3)
ENOUGH = 20


def simple_alarms(joins: Joins, publications: Sequence[Publication], as_of: datetime) -> Ledger:
    """The real ledger; but three hours after a publication there is an alarm if its window has 20 extra joins."""
    found = real_ledger(joins, publications, as_of)
    return replace(found, rows=tuple(_with_alarm(row, as_of) for row in found.rows))


def _with_alarm(row: Row, as_of: datetime) -> Row:
    at = row.window_from + AFTER
    return replace(row, alarm_at=at if at <= as_of and row.extra >= ENOUGH else None)
