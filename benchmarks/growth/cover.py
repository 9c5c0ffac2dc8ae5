"""Row 4: how often the 90 % range of the extra joins holds the truth, at four effects, three sizes, noisy days too."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from benchmarks.growth.alarms import AFTER_DAYS, BEFORE_DAYS, RATES
from benchmarks.growth.line import Line, share
from benchmarks.growth.single import Ranged, Single, measure
from benchmarks.growth.study import Study
from kairan.year.counts import A_MONDAY, World

LIFTS = (0.0, 0.5, 1.0, 3.0)
NOISY_BEFORE_DAYS = 120


def cover(n: int, seed: int) -> Study:
    """`n` streams for each effect, size and noise."""
    cells = [(noisy, rate, lift) for noisy in (False, True) for rate in RATES for lift in LIFTS]
    recipes = [recipe(*cell, number, seed) for cell in cells for number in range(n)]

    def lines(seen: Sequence[Ranged]) -> list[Line]:
        found = {cell: seen[k * n : (k + 1) * n] for k, cell in enumerate(cells)}
        return [*(_line(cell, these) for cell, these in found.items()), *_together(found)]

    return Study("4 cover", recipes, measure, lines)


def recipe(noisy: bool, per_day: int, lift: float, number: int, seed: int) -> Single:
    draw = (seed, 4, int(noisy), per_day, round(lift * 10), number)
    rng = np.random.default_rng((*draw, 0))
    start = A_MONDAY + timedelta(days=int(rng.integers(7)))
    before = NOISY_BEFORE_DAYS if noisy else BEFORE_DAYS
    variance, correlation = (0.05, 0.5) if noisy else (0.03, 0.0)
    world = World(before + AFTER_DAYS, per_day, day_variance=variance, day_correlation=correlation, start=start)
    return Single(world, before * 24 + int(rng.integers(24)), draw, lift)


def _together(found: Mapping[tuple[bool, int, float], Sequence[Ranged]]) -> list[Line]:
    """All sizes as one: a cell alone cannot tell 90 % from 87 %."""
    told = []
    for noisy in (False, True):
        for acting, name in ((False, "without effect"), (True, "with an effect")):
            held = [
                s.held for (n, _, lift), these in found.items() if n == noisy and (lift > 0) == acting for s in these
            ]
            what = f"cover {name}, all sizes{', noisy' if noisy else ''}"
            told.append(share("4", what, held, at_least=0.88, at_most=0.92 if acting else None))
    return told


def _line(cell: tuple[bool, int, float], seen: Sequence[Ranged]) -> Line:
    noisy, rate, lift = cell
    what = f"cover at +{lift:.0%}, {rate:,}/day{', noisy' if noisy else ''}"
    return share("4", what, [s.held for s in seen], at_least=0.88, at_most=0.92 if lift else None)
