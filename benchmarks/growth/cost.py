"""Row 9: the time of one update, and of a ledger of 60 days."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.growth.line import Line
from benchmarks.growth.single import judged, published_at
from benchmarks.growth.study import Study
from kairan.year.counts import Cause, World
from services.metrics.growth import Publication

DAYS, PUBLICATIONS = 60, 10


@dataclass(frozen=True)
class Timed:
    """`what` is measured: a ledger at so many joins a day."""

    per_day: int
    repeats: int
    seed: int


def cost(n: int, seed: int) -> Study:
    """`n` repeats of each."""
    cases = [Timed(per_day, n, seed) for per_day in (7, 2000)]

    def lines(seen: Sequence[list[float]]) -> list[Line]:
        return [
            Line(
                "9",
                f"ledger of {DAYS} days, {PUBLICATIONS} publications, {c.per_day:,}/day",
                _median(times),
                n,
                "s",
                at_most=1.0,
            )
            for c, times in zip(cases, seen, strict=True)
        ]

    return Study("9 cost", cases, look, lines)


def look(case: Timed) -> list[float]:
    """CPU seconds of each repeat."""
    world = World(DAYS, case.per_day)
    rng = np.random.default_rng((case.seed, 9, case.per_day))
    causes = [
        Cause(int(at), case.per_day * float(rng.uniform(0, 3))) for at in rng.integers(0, DAYS * 24, PUBLICATIONS)
    ]
    counts = world.joins(causes, rng).sum(1)
    publications = [Publication(f"p{i}", "article", published_at(world, c.at)) for i, c in enumerate(causes)]
    return [_cpu_s(lambda: judged(world, counts, publications)) for _ in range(case.repeats)]


def _cpu_s(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _median(times: Sequence[float]) -> float:
    return float(np.median(times))
