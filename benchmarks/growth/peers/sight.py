"""What a peer gets to see of a stream, and what it says."""

from dataclasses import dataclass

import numpy as np

from benchmarks.growth.three_sigma import DAYS_AFTER, blocks
from kairan.year.counts import Counts, Floats

DAYS_BEFORE = 56
LEVEL = 0.01  # nominal, of a false alarm
RANGE = (0.05, 0.95)  # 90 %


@dataclass(frozen=True)
class Sight:
    """Joins by the hour, and in blocks of 24 hours before (56) and after (7) the publication at hour `at`."""

    counts: Counts
    at: int

    @property
    def before(self) -> Floats:
        return blocks(self.counts, self.at - 24 * DAYS_BEFORE, DAYS_BEFORE)

    @property
    def after(self) -> Floats:
        return blocks(self.counts, self.at, DAYS_AFTER)


@dataclass(frozen=True)
class Opinion:
    """`alarm`: at one of its looks within seven days. Extra joins with a 90 % range; nan where a peer gives none."""

    alarm: bool
    extra: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")


def from_simulated(after: Floats, simulated: Floats) -> Opinion:
    """From simulations without an effect (simulations x 7 days): the sum so far is looked at after each day."""
    sums, seen = simulated.cumsum(1), after.cumsum()
    tail = ((sums >= seen).sum(0) + 1) / (len(sums) + 1)
    low, high = seen[-1] - np.quantile(sums[:, -1], RANGE[::-1])
    return Opinion(bool((tail < LEVEL).any()), float(seen[-1] - sums[:, -1].mean()), float(low), float(high))
