"""Simulated streams with their truth, and the ledger of each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from kairan.year.counts import Cause, World
from services.metrics.growth import Joins, Ledger, Publication, Row, ledger

START = datetime(2020, 1, 5, 15, tzinfo=UTC)  # Monday 6 January 2020, 00:00 in Japan
WINDOW_H = 168
MEAN_H = {"magazine_issue": 60.0, "broadcast": 10.0, "session_recording": 120.0, "session": 24.0}
MEDIAN = {"magazine_issue": 22.0, "broadcast": 14.0, "session_recording": 8.0, "session": 9.0}
QUIET_DAYS, LAST_DAYS = 56, 10


@dataclass(frozen=True)
class Seen:
    """A row and the joins that its publication really brought in the window."""

    row: Row
    truth: int

    @property
    def held(self) -> bool:
        return self.row.low <= self.truth <= self.row.high


def at_hour(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def judged(counts: NDArray[np.int64], published: Sequence[tuple[str, int]], as_of_h: int | None = None) -> Ledger:
    """The ledger of joins by the hour and publications (kind, hour), ids p0, p1, ..."""
    publications = [Publication(f"p{i}", kind, at_hour(hour)) for i, (kind, hour) in enumerate(published)]
    return ledger(Joins(START, counts), publications, at_hour(counts.size if as_of_h is None else as_of_h))


def calendar(rng: np.random.Generator, idle: float = 0.4, bunched: bool = False) -> list[tuple[str, Cause]]:
    """A year of about 55 publications: kinds and causes, a share of them idle."""
    days = range(QUIET_DAYS, 365 - LAST_DAYS)
    planned = [("magazine_issue", d * 24 + 8) for d in np.linspace(days[0], days[-1] - 20, 12).astype(int)]
    planned += [("session", d * 24 + 21) for d in days[3::14]]
    planned += [("broadcast", int(d) * 24 + 19) for d in rng.choice(days, 10)]
    planned += [("session_recording", int(d) * 24 + 12) for d in rng.choice(days, 12)]
    planned.sort(key=lambda one: one[1])
    if bunched:
        planned = [(k, planned[i - i % 4][1] + int(rng.integers(0, 72))) for i, (k, _) in enumerate(planned)]
    return [(kind, Cause(int(hour), _size(kind, idle, rng), MEAN_H[kind])) for kind, hour in planned]


def _size(kind: str, idle: float, rng: np.random.Generator) -> float:
    return 0.0 if rng.random() < idle else float(MEDIAN[kind] * np.exp(0.6 * rng.normal()))


def years(count: int, idle: float = 0.4, bunched: bool = False, surges: int = 0, seed: int = 1) -> Iterator[list[Seen]]:
    """`count` years at about 7 joins a day, growing by 35 %; rows of complete windows with enough data."""
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        planned = calendar(rng, idle, bunched)
        unlisted = [
            Cause(int(rng.integers(60, 350)) * 24 + 12, float(rng.uniform(15, 60)), 20.0) for _ in range(surges)
        ]
        causes = [cause for _, cause in planned]
        joins = World(per_day=5.5, growth=0.35).joins((*causes, *unlisted), rng)
        found = judged(joins.sum(1), [(kind, cause.at) for kind, cause in planned]).by_id()
        pairs = [(found[f"p{i}"], _truth(joins, i + 1, cause.at)) for i, cause in enumerate(causes)]
        yield [Seen(row, truth) for row, truth in pairs if row.complete and row.verdict != "too_little_data"]


def single(world: World, lift: float, rng: np.random.Generator, kind: str = "article") -> Seen:
    """One publication after all but 14 days of a world; `lift` x the usual joins come on top for 3 days."""
    at = (world.days - 14) * 24 + 8
    joins = world.joins([Cause(at, lift * 3 * world.per_day, evenly_h=72)], rng)
    row = judged(joins.sum(1), [(kind, at)]).rows[0]
    return Seen(row, _truth(joins, 1, at))


def _truth(joins: NDArray[np.int64], column: int, at: int) -> int:
    return int(joins[at : at + WINDOW_H, column].sum())
