"""The counts of one stream in memory, summed over partitions; and the community's now."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import numpy as np

from services.metrics import growth
from services.metrics.domain.counts import Change, hour_of, moment_of

_MOMENT = timedelta(microseconds=1)
_TOKYO = timedelta(hours=9)


class Hours:
    """The counts of one stream, summed over partitions; kept up to date row by row."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, Change]] = {}
        self._sums: dict[int, list[int]] = {}
        self._totals = [0, 0, 0]
        self._changed_from: int | None = None
        self.version = 0

    def put(self, row_id: str, hour: int, change: Change) -> None:
        """What a row says now; replaces what it said before."""
        before = self._rows.get(row_id)
        if before is not None and before[1] == change:
            return
        self.version += 1
        self._rows[row_id] = (hour, change)
        sums = self._sums.setdefault(hour, [0, 0, 0])
        for index, value in enumerate(change):
            added = value - (before[1][index] if before else 0)
            sums[index] += added
            self._totals[index] += added
        growth_before = before[1][:2] if before else (0, 0)
        if change[:2] != growth_before:
            self._changed_from = hour if self._changed_from is None else min(self._changed_from, hour)

    def take_changed_from(self) -> int | None:
        """The first hour whose joins changed since this was last asked; None when none did."""
        changed, self._changed_from = self._changed_from, None
        return changed

    def first(self) -> int | None:
        """The first hour that has a join; None when there is none."""
        return min((hour for hour, sums in self._sums.items() if sums[0] > 0 or sums[1] > 0), default=None)

    def joins_between(self, start: int, end: int) -> int:
        """Joins of either precision from hour `start` up to hour `end`, not included."""
        return sum(sum(self._sums[hour][:2]) for hour in range(start, end) if hour in self._sums)

    def by_hour(self) -> Mapping[int, int]:
        """Members who came, less those who left, by the hour, in order of time."""
        return {hour: sums[2] for hour, sums in sorted(self._sums.items()) if sums[2]}

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
