"""Who comes, when, and through whom: on their own, after a publication, or brought along by a member.

The model is a cluster process. Roots arrive by intensity (a week's shape, growth, days that differ by a Gamma factor),
or after a publication (exponential delays, thinned by the week's shape). Every join brings Poisson(0.15) others, after
36 hours on average, and so do these. Every join carries the publication at its root: the truth is counted, exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

HOUR_SHAPE = np.array(
    (
        *(0.35, 0.2, 0.12, 0.1, 0.1, 0.15, 0.4, 0.9, 1.1, 0.9, 0.8, 0.9),
        *(1.9, 1.2, 0.8, 0.8, 0.9, 1.1, 1.4, 1.7, 2.0, 2.2, 1.9, 1.1),
    )
)
WEEKDAY_SHAPE = np.array((1.2, 1.15, 1.1, 1.05, 0.95, 0.75, 0.8))  # Monday to Sunday
GROWTH = 0.35  # of the logarithm of the organic rate, over the year
DAY_VARIANCE = 0.03  # of the factor of a day
REFERRALS = 0.15  # per join
REFERRAL_MEAN_H = 36.0


@dataclass(frozen=True)
class Arrival:
    """`hour`: hours since the start, with fractions. `referrer`: who brought them along; None for a root."""

    hour: float
    cause: str | None
    referrer: "Arrival | None" = None


class Arrivals:
    """Draws arrivals within a horizon of `days` whole days from `start`."""

    def __init__(self, start: datetime, days: int, rng: np.random.Generator) -> None:
        self._rng = rng
        self._hours = days * 24
        hour = np.arange(self._hours)
        weekday = (start.weekday() + hour // 24) % 7
        self._shape = HOUR_SHAPE[hour % 24] / HOUR_SHAPE.mean() * WEEKDAY_SHAPE[weekday] / WEEKDAY_SHAPE.mean()
        frailty = np.repeat(rng.gamma(1 / DAY_VARIANCE, DAY_VARIANCE, days), 24)
        intensity = self._shape * frailty * np.exp(GROWTH * hour / self._hours)
        self._organic: NDArray[np.float64] = intensity / intensity.sum()

    def organic(self, count: int) -> list[Arrival]:
        """Exactly `count` joins without any publication at their root, referrals included.

        Clusters are drawn one after another; one that would go past `count` is drawn again. So the total is met without
        touching what publications brought.
        """
        found: list[Arrival] = []
        while len(found) < count:
            hours = self._rng.choice(self._hours, size=count, p=self._organic) + self._rng.random(count)
            for hour in hours:
                cluster = list(self._with_referrals(Arrival(float(hour), None)))
                if len(found) + len(cluster) <= count:
                    found += cluster
        return found

    def brought(self, cause: str, at: float, expected: float, mean_h: float) -> list[Arrival]:
        """Joins that a publication at hour `at` brings: `expected` directly, and whom these bring along."""
        peak = float(self._shape.max())
        hours = at + self._rng.exponential(mean_h, self._rng.poisson(expected * peak))
        kept = [h for h in hours if h < self._hours and self._rng.random() * peak < self._shape[int(h)]]
        return [one for hour in kept for one in self._with_referrals(Arrival(float(hour), cause))]

    def _with_referrals(self, arrival: Arrival) -> Iterator[Arrival]:
        yield arrival
        for delay in self._rng.exponential(REFERRAL_MEAN_H, self._rng.poisson(REFERRALS)):
            if arrival.hour + delay < self._hours:
                yield from self._with_referrals(Arrival(arrival.hour + float(delay), arrival.cause, arrival))
