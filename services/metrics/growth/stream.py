"""A stream as the fits see it: joins of every hour up to an as-of, and where effects of publications may lie in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np

from services.metrics.growth.calendar import Hours, hours_from, sums
from services.metrics.growth.kernels import REACH_H, kernel
from services.metrics.growth.model import Counts, Floats, Indices, Joins, Publication

HOUR = timedelta(hours=1)
BLOCK_H = 4
BLOCKS_A_DAY = 24 // BLOCK_H


def day_sums(values: Floats) -> Floats:
    """Sums per day of values per block (along the last axis)."""
    return np.asarray(values.reshape(*values.shape[:-1], -1, BLOCKS_A_DAY).sum(-1))


@dataclass(frozen=True)
class Stream:
    """Joins by the hour, without those that named a publication.

    `captured`: joins by the hour, from its own on, that named a publication, by its place; only those that have any.
    `at`: hour of each publication, maybe before the stream. `mass`: its kernel, publications x REACH_H.
    """

    hours: Hours
    counts: Floats
    at: Indices
    mass: Floats
    captured: dict[int, Counts]

    @classmethod
    def of(cls, joins: Joins, known: Sequence[Publication], as_of: datetime) -> "Stream":
        length = max((as_of - joins.start) // HOUR, 1)  # an empty stream is one empty hour
        hours = hours_from(joins.start, length)
        counts = _cut(joins.counts, length)
        at = np.array([(p.published_at - joins.start) // HOUR for p in known], dtype=np.int64)
        mass = np.array([kernel(p.kind) for p in known]).reshape(len(known), REACH_H)
        captured = _captured(known, at, counts)
        rest = counts - sum(captured.values(), np.zeros_like(counts))
        return cls(hours, rest.astype(np.float64), at, mass, captured)

    @cached_property
    def total(self) -> int:
        return int(self.counts.sum()) + int(self.named(0, self.counts.size).sum())

    def whole(self) -> "Stream":
        """The same stream with the joins that named a publication among the others."""
        counts = self.counts + sum(self.captured.values(), np.zeros(self.counts.size, dtype=np.int64))
        return replace(self, counts=counts, captured={})

    def named(self, first: int, last: int) -> Counts:
        """Joins in the hours [first, last) that named each publication."""
        found = np.zeros(len(self.at), dtype=np.int64)
        for i, row in self.captured.items():
            found[i] = row[max(first, 0) : max(last, 0)].sum()
        return found

    @property
    def day_of_publication(self) -> Indices:
        return np.asarray(self.hours.day[np.clip(self.at, 0, self.counts.size - 1)])

    @cached_property
    def block(self) -> Indices:
        """The block of every hour: `BLOCKS_A_DAY` for every day of the stream, the first and last maybe cut."""
        return np.asarray((self.hours.day * 24 + self.hours.hour) // BLOCK_H)

    @property
    def blocks(self) -> int:
        return self.hours.days * BLOCKS_A_DAY

    def by_block(self, values: Floats) -> Floats:
        """Sums of hourly values per block."""
        return sums(self.block, values, self.blocks)

    def unit_effects(self, shape: Floats) -> tuple[Indices, Indices, Floats]:
        """Effects of size 1 inside the stream, as sparse triples: hour, publication, joins."""
        hour = self.at[:, None] + np.arange(REACH_H)
        inside = (hour >= 0) & (hour < self.counts.size)
        which = np.broadcast_to(np.arange(len(self.at))[:, None], hour.shape)[inside]
        return hour[inside], which, self.mass[inside] * shape[hour[inside]]


def _cut(counts: Counts, length: int) -> Counts:
    """As many hours as asked for; hours beyond the known ones are empty."""
    out = np.zeros(length, dtype=np.int64)
    out[: min(length, counts.size)] = counts[:length]
    return out


def _captured(known: Sequence[Publication], at: Indices, counts: Counts) -> dict[int, Counts]:
    """Joins by the hour that named each publication, from its hour on, and never more than there were.

    Where an hour has more captured than joins, the earlier publications' count first.
    """
    left, rows = counts.copy(), {}
    for i, publication in enumerate(known):
        if publication.captured.any():
            row = np.maximum(_cut(publication.captured, counts.size), 0)
            row[: max(int(at[i]), 0)] = 0
            rows[i] = np.minimum(row, left)
            left -= rows[i]
    return rows
