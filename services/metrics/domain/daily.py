"""Facts about members become daily aggregates for growth accounting: joins by source, leaves by month of joining."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple, get_args

from services.metrics.domain.counts import day_of
from shared.catalogue import Event, JoinedPrecision, JoinSource, JoinVoided, MemberJoined, MemberLeft

SOURCES: tuple[str, ...] = get_args(JoinSource)
UNDATED = "undated"  # an opening stock: members whose day of joining nobody knows
UNTOLD = "untold"  # leaves from before they told when the member had joined
Field = str
"""`source:<source>`: joins of growth; `joined:undated`: members of unknown date; `left:<month, undated or untold>`."""


class Day(NamedTuple):
    """A row: an Asia/Tokyo day, and the partition that adds to it."""

    day: date
    partition: int


def count_daily(facts: Iterable[tuple[int, Event]]) -> dict[Day, dict[Field, int]]:
    """What facts, as (partition, event), add to each day; sums, so any order gives the same."""
    sums: dict[Day, dict[Field, int]] = {}
    for partition, event in facts:
        for moment, field, change in _changes(event):
            row = sums.setdefault(Day(day_of(moment), partition), {})
            row[field] = row.get(field, 0) + change
    return {day: kept for day, row in sums.items() if (kept := {name: n for name, n in row.items() if n})}


def cohort(joined_at: datetime | None, precision: JoinedPrecision | None) -> str:
    """The month of joining in Japan (`2021-04`), or why there is none."""
    if joined_at is None or precision is None:
        return UNTOLD
    return UNDATED if precision == "unknown" else f"{day_of(joined_at):%Y-%m}"


def _changes(event: Event) -> Iterable[tuple[datetime, Field, int]]:
    data = event.data
    if isinstance(data, MemberJoined):
        yield _join(data.source, data.joined_precision, event.envelope.time, event.envelope.recorded_time, 1)
    elif isinstance(data, MemberLeft):
        yield event.envelope.time, f"left:{cohort(data.joined_at, data.joined_precision)}", 1
    elif isinstance(data, JoinVoided):
        yield _join(data.source, data.joined_precision, data.joined_at, event.envelope.recorded_time, -1)
        if data.left_at is not None:
            yield data.left_at, f"left:{cohort(data.joined_at, data.joined_precision)}", -1


def _join(
    source: str, precision: JoinedPrecision, at: datetime, recorded: datetime, change: int
) -> tuple[datetime, Field, int]:
    return (recorded, f"joined:{UNDATED}", change) if precision == "unknown" else (at, f"source:{source}", change)
