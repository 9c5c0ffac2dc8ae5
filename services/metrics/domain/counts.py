"""Facts about members become counts per stream and hour: sums, so any order of the facts gives the same content."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from shared.catalogue import Event, JoinVoided, MemberJoined, MemberLeft

ALL = "all"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Japan has had one offset without summer time since 1951, so its days begin at a whole UTC hour. Were that to change,
# only `first_hour_of_day` would: hours are stored, days are derived.
_TOKYO_AHEAD_H = 9
_FIRST_DAY = EPOCH.toordinal()


class Cell(NamedTuple):
    """Where a count belongs. `hour`: whole hours since 1970 UTC; `partition`: of the topic, so that no two replicas of
    metrics write one document."""

    stream: str
    hour: int
    partition: int


class Change(NamedTuple):
    """What to add to a cell: joins known by the hour, joins known by the day alone, and members."""

    joins: int = 0
    day_joins: int = 0
    members: int = 0


class Tally:
    """Adds up the changes of a batch, so that each cell is written once."""

    def __init__(self) -> None:
        self._sums: dict[Cell, list[int]] = {}

    def add(self, stream: str, hour: int, partition: int, joins: int, day_joins: int, members: int) -> None:
        key = Cell(stream, hour, partition)
        sums = self._sums.get(key)
        if sums is None:
            self._sums[key] = [joins, day_joins, members]
            return
        sums[0] += joins
        sums[1] += day_joins
        sums[2] += members

    def changes(self) -> dict[Cell, Change]:
        """The sums; what cancelled out is left out."""
        return {cell: Change(*sums) for cell, sums in self._sums.items() if any(sums)}


def theme_stream(theme_id: str) -> str:
    """The stream of joins through one entrance; it has no members, as a leave does not say the entrance."""
    return f"theme:{theme_id}"


def hour_of(moment: datetime) -> int:
    """The whole hours since 1970 UTC of an aware moment."""
    return int(moment.timestamp() // 3600)


def moment_of(hour: int) -> datetime:
    """The beginning of an hour, aware, UTC."""
    return EPOCH + timedelta(hours=hour)


def day_number(moment: datetime) -> int:
    """The Asia/Tokyo day of an aware moment, as `date.toordinal` numbers days."""
    return (hour_of(moment) + _TOKYO_AHEAD_H) // 24 + _FIRST_DAY


def first_hour_of_day(hour: int) -> int:
    """The hour at which the Asia/Tokyo day of `hour` begins."""
    return (hour + _TOKYO_AHEAD_H) // 24 * 24 - _TOKYO_AHEAD_H


def count(facts: Iterable[tuple[int, Event]]) -> dict[Cell, Change]:
    """The changes that facts about members make; `facts` are (partition, event). Other events change nothing."""
    tally = Tally()
    for partition, event in facts:
        rule = _RULES.get(type(event.data))
        if rule is not None:
            rule(tally, partition, event, event.data)
    return tally.changes()


def _joined(tally: Tally, partition: int, event: Event, data: MemberJoined) -> None:
    """By precision: an hour is growth at its hour, a day at its day, `unknown` counts as a member once recorded."""
    if data.joined_precision == "hour":
        hour, joins, day_joins = hour_of(event.envelope.time), 1, 0
    elif data.joined_precision == "day":
        hour, joins, day_joins = first_hour_of_day(hour_of(event.envelope.time)), 0, 1
    else:
        hour, joins, day_joins = hour_of(event.envelope.recorded_time), 0, 0
    tally.add(ALL, hour, partition, joins, day_joins, 1)
    if data.entrance_theme_id is not None:
        tally.add(theme_stream(data.entrance_theme_id), hour, partition, joins, day_joins, 0)


def _left(tally: Tally, partition: int, event: Event, data: MemberLeft) -> None:
    tally.add(ALL, hour_of(event.envelope.time), partition, 0, 0, -1)


def _voided(tally: Tally, partition: int, event: Event, data: JoinVoided) -> None:
    """Undoes a join, and the leave after it, by what the fact itself says."""
    if data.joined_precision == "hour":
        hour, joins, day_joins = hour_of(data.joined_at), -1, 0
    elif data.joined_precision == "day":
        hour, joins, day_joins = first_hour_of_day(hour_of(data.joined_at)), 0, -1
    else:
        # When the join was recorded is not said; from the void on nobody is counted, and never fewer than nobody.
        hour, joins, day_joins = hour_of(event.envelope.recorded_time), 0, 0
    tally.add(ALL, hour, partition, joins, day_joins, -1)
    if data.entrance_theme_id is not None:
        tally.add(theme_stream(data.entrance_theme_id), hour, partition, joins, day_joins, 0)
    if data.left_at is not None:
        tally.add(ALL, hour_of(data.left_at), partition, 0, 0, 1)


_RULES: dict[type, Callable[[Tally, int, Event, Any], None]] = {
    MemberJoined: _joined,
    MemberLeft: _left,
    JoinVoided: _voided,
}
HEARD = (MemberJoined, MemberLeft, JoinVoided)
