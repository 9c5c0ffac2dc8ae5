"""Milestones: the numbers of members that a community looks back on, and the hour at which each was reached."""

from collections.abc import Iterator, Mapping
from itertools import count
from typing import NamedTuple

FIRST = 100
_STEPS = (1.0, 2.5, 5.0)  # of each power of ten: 100, 250, 500, 1,000, ...


class Milestone(NamedTuple):
    """`value` members were reached at the end of hour `hour` (`hour`: the whole hour after the one that did it)."""

    value: int
    hour: int


def values() -> Iterator[int]:
    """100, 250, 500, 1,000, 2,500, 5,000, 10,000, ... without an end."""
    for power in count():
        for step in _STEPS:
            yield int(FIRST * step * 10**power)


def reached(changes: Mapping[int, int], end: int) -> list[Milestone]:
    """The milestones that were reached before hour `end`, in order of time and value.

    `changes`: by the hour, members who came less those who left. With M(h) = sum of the changes up to and with hour h,
    value v is reached at the end of the first h with M(h) >= v. Of several in one hour (an opening stock of 2,500 that
    is recorded at once) only the highest is one; falling below and rising again is none.
    """
    found: list[Milestone] = []
    wanted = values()
    next_value = next(wanted)
    members = 0
    for hour in sorted(changes):
        if hour >= end:
            break
        members += changes[hour]
        highest = 0
        while members >= next_value:
            highest, next_value = next_value, next(wanted)
        if highest:
            found.append(Milestone(highest, hour + 1))
    return found
