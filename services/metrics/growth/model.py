"""The words of the ledger: what goes into it (joins, publications) and what comes out (rows, spikes, series, audit)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

WINDOW_H = 7 * 24  # for so long after a publication joins may be its own

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Verdict = Literal["clear", "likely", "unclear", "too_little_data"]


@dataclass(frozen=True)
class Publication:
    """Something that reached the public, or a session that was held (kind `session`, at its end).

    `captured`: joins by the hour (as `Joins.counts`, of which they are a part) that named this publication as their
    source; empty where none did.
    """

    id: str
    kind: str
    published_at: datetime  # aware
    series_id: str | None = None
    captured: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


@dataclass(frozen=True)
class Joins:
    """A stream of joins by the hour of the event's time, hours without a join included as 0.

    `day_joins` (same shape, or empty) are joins of which only the Asia/Tokyo day is known, counted at its first hour.
    They are daily evidence for level and scatter alone: no row counts them.
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
    extra joins in the window, which are not negative. `expected` is the baseline plus what is credited to other
    publications, never more than what the joins that named this one leave of `observed`. `credit` (90 % range
    `credit_low` to `credit_high`) counts over the whole stream, not only in the window. `joint_with` are the ids of the
    others in a chain of publications less than 24 h apart (itself left out), which share `joint_credit` in a way nobody
    can tell; a publication alone is its own chain. `log_evidence` is the natural log of the largest E so far;
    `alarm_at` the end of the first hour at which E crossed the threshold, from what was known at that hour, or None.
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
    credit: float
    credit_low: float
    credit_high: float
    joint_with: tuple[str, ...]
    joint_credit: float
    joint_low: float
    joint_high: float
    log_evidence: float
    verdict: Verdict
    alarm_at: datetime | None = None


@dataclass(frozen=True)
class Spike:
    """Joins above the baseline that no listed publication explains, from `start` to `end` (aware, whole hours)."""

    start: datetime
    end: datetime
    extra: float
    low: float
    high: float


@dataclass(frozen=True)
class Audit:
    """The alarm at random past times without a publication: how many, how many alarms, and the threshold on E that
    holds from now on (100, or the placebos' own 99 % quantile where significantly more than 1 % alarmed)."""

    placebos: int
    alarms: int
    threshold: float


@dataclass(frozen=True)
class Series:
    """Extra joins of all issues of a series together, with a 90 % range."""

    series_id: str
    issues: int
    extra: float
    low: float
    high: float
    verdict: Verdict


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
    """All rows in order of `published_at`; `joins` up to the as-of, of them `organic` credited to nobody: the rows'
    credits and `organic` add up to `joins`. And the band for a picture."""

    as_of: datetime
    rows: tuple[Row, ...]
    band: Band
    joins: int
    organic: float
    unexplained: tuple[Spike, ...]
    audit: Audit
    series: tuple[Series, ...]

    def by_id(self) -> Mapping[str, Row]:
        return {row.id: row for row in self.rows}
