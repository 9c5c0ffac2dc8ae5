"""A stream as the fits see it: joins of every hour up to an as-of, and where effects of publications may lie in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from services.metrics.growth.calendar import Hours, hours_from
from services.metrics.growth.kernels import REACH_H, kernel
from services.metrics.growth.model import Floats, Indices, Joins, Publication

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Stream:
    """`at`: hour of each publication, maybe before the stream. `mass`: its kernel, publications x REACH_H."""

    hours: Hours
    counts: Floats
    at: Indices
    mass: Floats

    @classmethod
    def of(cls, joins: Joins, known: Sequence[Publication], as_of: datetime) -> "Stream":
        length = max((as_of - joins.start) // HOUR, 1)  # an empty stream is one empty hour
        counts = np.zeros(length)
        counts[: min(length, joins.counts.size)] = joins.counts[:length]
        at = np.array([(p.published_at - joins.start) // HOUR for p in known], dtype=np.int64)
        mass = np.array([kernel(p.kind) for p in known]).reshape(len(known), REACH_H)
        return cls(hours_from(joins.start, length), counts, at, mass)

    @property
    def day_of_publication(self) -> Indices:
        return np.asarray(self.hours.day[np.clip(self.at, 0, self.counts.size - 1)])

    def unit_effects(self, shape: Floats) -> tuple[Indices, Indices, Floats]:
        """Effects of size 1 inside the stream, as sparse triples: hour, publication, joins."""
        hour = self.at[:, None] + np.arange(REACH_H)
        inside = (hour >= 0) & (hour < self.counts.size)
        which = np.broadcast_to(np.arange(len(self.at))[:, None], hour.shape)[inside]
        return hour[inside], which, self.mass[inside] * shape[hour[inside]]
