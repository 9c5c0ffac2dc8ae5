"""The words of the ledger: what goes into it (joins, publications) and what comes out (rows, band)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Verdict = Literal["clear", "unclear", "too_little_data"]


@dataclass(frozen=True)
class Publication:
    """Something that reached the public, or a session that was held (kind `session`, at its end)."""

    id: str
    kind: str
    published_at: datetime  # aware


@dataclass(frozen=True)
class Joins:
    """A stream of joins by the hour of the event's time, hours without a join included as 0.

    `day_joins` (same shape, or empty) are joins of which only the Asia/Tokyo day is known, counted at its first hour.
    They belong to daily evidence alone, which a later change brings: no row counts them.
    """

    start: datetime  # the whole UTC hour of counts[0]
    counts: Counts
    day_joins: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.start.timestamp() % 3600:
            raise ValueError(f"a stream starts at a whole hour with a time zone, not at {self.start}")
        if self.counts.ndim != 1 or (self.counts < 0).any():
            raise ValueError("joins by the hour are a row of numbers, none of them negative")


@dataclass(frozen=True)
class Row:
    """What one publication brought, as known at the ledger's as-of.

    `extra` is `observed - expected` and may be negative; [`low`, `high`] is the highest-density 90 % interval of the
    extra joins, which are not negative. `expected` is the baseline plus what is credited to other publications.
    """

    id: str
    kind: str
    published_at: datetime
    window_from: datetime
    window_to: datetime
    complete: bool
    observed: int
    expected: float
    extra: float
    low: int
    high: int
    verdict: Verdict
    alarm_at: datetime | None = None


@dataclass(frozen=True)
class Band:
    """Joins per Asia/Tokyo day that the baseline expects without any publication: mean and 90 % range.

    Arrays of one length.
    `start` are the days' first moments (UTC, numpy `datetime64[h]`); the last day may be cut at the as-of.
    """

    start: NDArray[np.datetime64]
    observed: Counts
    expected: Floats
    low: Counts
    high: Counts


@dataclass(frozen=True)
class Ledger:
    """All rows in order of `published_at`, and the band for a picture."""

    as_of: datetime
    rows: tuple[Row, ...]
    band: Band

    def by_id(self) -> Mapping[str, Row]:
        return {row.id: row for row in self.rows}
