"""Facts about members become daily aggregates for growth accounting: joins by source, leaves by month of joining."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple, get_args

from services.metrics.domain.counts import day_number
from shared.catalogue import Event, JoinedPrecision, JoinSource, JoinVoided, MemberJoined, MemberLeft

SOURCES: tuple[str, ...] = get_args(JoinSource)
UNDATED = "undated"  # an opening stock: members whose day of joining nobody knows
UNTOLD = "untold"  # leaves from before they told when the member had joined
Field = str
"""`source:<source>`: joins of growth; `joined:undated`: members of unknown date; `left:<month, undated or untold>`."""

_UNDATED_JOINS = f"joined:{UNDATED}"
_JOINS_BY = {source: f"source:{source}" for source in SOURCES}


class Day(NamedTuple):
    """A row: an Asia/Tokyo day, and the partition that adds to it."""

    day: date
    partition: int


def count_daily(facts: Iterable[tuple[int, Event]]) -> dict[Day, dict[Field, int]]:
    """What facts, as (partition, event), add to each day; sums, so any order gives the same."""
    sums: dict[tuple[int, int, Field], int] = {}
    for partition, event in facts:
        for moment, field, change in _changes(event):
            key = (day_number(moment), partition, field)
            sums[key] = sums.get(key, 0) + change
    days: dict[Day, dict[Field, int]] = {}
    for (number, partition, field), n in sums.items():
        if n:
            days.setdefault(Day(date.fromordinal(number), partition), {})[field] = n
    return days


def cohort(joined_at: datetime | None, precision: JoinedPrecision | None) -> str:
    """The month of joining in Japan (`2021-04`), or why there is none."""
    if joined_at is None or precision is None:
        return UNTOLD
    return UNDATED if precision == "unknown" else f"{date.fromordinal(day_number(joined_at)):%Y-%m}"


def _changes(event: Event) -> Sequence[tuple[datetime, Field, int]]:
    data, envelope = event.data, event.envelope
    if isinstance(data, MemberJoined):
        return (_join(data.source, data.joined_precision, envelope.time, envelope.recorded_time, 1),)
    if isinstance(data, MemberLeft):
        return ((envelope.time, f"left:{cohort(data.joined_at, data.joined_precision)}", 1),)
    if not isinstance(data, JoinVoided):
        return ()
    undone = _join(data.source, data.joined_precision, data.joined_at, envelope.recorded_time, -1)
    if data.left_at is None:
        return (undone,)
    return undone, (data.left_at, f"left:{cohort(data.joined_at, data.joined_precision)}", -1)


def _join(
    source: str, precision: JoinedPrecision, at: datetime, recorded: datetime, change: int
) -> tuple[datetime, Field, int]:
    return (recorded, _UNDATED_JOINS, change) if precision == "unknown" else (at, _JOINS_BY[source], change)
