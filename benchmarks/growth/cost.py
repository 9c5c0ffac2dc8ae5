"""Row 9: the time of one update of one publication's evidence, and of a ledger of 60 days."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from benchmarks.growth.line import Line
from benchmarks.growth.single import judged, published_at
from benchmarks.growth.study import Study
from benchmarks.growth.update import update_ms
from kairan.year.counts import Cause, World
from services.metrics.growth import Publication

DAYS, PUBLICATIONS = 60, 10


@dataclass(frozen=True)
class LedgerTimed:
    """A ledger of 60 days at so many joins a day."""

    per_day: int
    repeats: int
    seed: int

    def times(self) -> list[float]:
        """CPU seconds of each repeat."""
        world = World(DAYS, self.per_day)
        rng = np.random.default_rng((self.seed, 9, self.per_day))
        hours = rng.integers(0, DAYS * 24, PUBLICATIONS)
        causes = [Cause(int(at), self.per_day * float(rng.uniform(0, 3))) for at in hours]
        counts = world.joins(causes, rng).sum(1)
        publications = [Publication(f"p{i}", "article", published_at(world, c.at)) for i, c in enumerate(causes)]
        found = []
        for _ in range(self.repeats):
            begun = time.process_time()
            judged(world, counts, publications)
            found.append(time.process_time() - begun)
        return found

    def line(self, times: Sequence[float]) -> Line:
        what = f"CPU time of a ledger of {DAYS} days, {PUBLICATIONS} publications, {self.per_day:,}/day"
        return Line("9", what, float(np.median(times)), self.repeats, "s", at_most=1.0)


@dataclass(frozen=True)
class UpdateTimed:
    """Updates of so many publications at once."""

    windows: int
    repeats: int

    def times(self) -> list[float]:
        """CPU milliseconds of each update of one publication."""
        return update_ms(self.windows, self.repeats)

    def line(self, times: Sequence[float]) -> Line:
        what = f"CPU time of one update of one publication, {self.windows} together"
        return Line("9", what, float(np.median(times)), self.repeats, "ms", at_most=0.1)


def cost(n: int, seed: int) -> Study:
    """`n` repeats of each."""
    cases: list[LedgerTimed | UpdateTimed] = [LedgerTimed(per_day, n, seed) for per_day in (7, 2000)]
    notes = ["the evidence is not there yet"]
    if find_spec("services.metrics.growth.evidence"):
        cases += [UpdateTimed(windows, n) for windows in (1, 56)]
        notes = []

    def lines(seen: Sequence[list[float]]) -> list[Line]:
        return [case.line(times) for case, times in zip(cases, seen, strict=True)]

    return Study("9 cost", cases, look, lines, notes)


def look(case: LedgerTimed | UpdateTimed) -> list[float]:
    return case.times()
