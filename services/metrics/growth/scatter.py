"""How days differ by more than chance: a frailty that may drag on from day to day, learnt as a posterior on a grid.

The joins of a day have mean m (1 + f), f an AR(1) process with variance v and correlation r from one day to the next.
Its likelihood comes day by day from a Kalman filter of the relative surprise n / m - 1 (Harvey 1989), for all pairs
(v, r) of the grid at once. Nothing is plugged in: who asks for the scatter of a week gets all pairs with their weights.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.metrics.growth.model import Floats, Indices

VARIANCES = (0.002, 0.006, 0.012, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
CORRELATIONS = (0.0, 0.3, 0.55, 0.8)
CORRELATION_PRIOR = (0.4, 0.25, 0.22, 0.13)
VARIANCE = np.repeat(VARIANCES, len(CORRELATIONS))
CORRELATION = np.tile(CORRELATIONS, len(VARIANCES))
LOG_PRIOR = np.log(np.tile(CORRELATION_PRIOR, len(VARIANCES)))
CLUSTERED = 1.12  # variance of a day's joins over their mean: referrals come together
SURPRISE = 3.5  # standard deviations that a single day may count for
SCATTER_DAYS = 400  # a stream of many years does not scatter the same way in all of them
LAGS = np.arange(1, 7)
WEEK = 1 + 2 * ((1 - LAGS / 7) * CORRELATION[:, None] ** LAGS).sum(1)  # of 7 days' mean, over 1 / 7 of a day's


@dataclass(frozen=True)
class Scatter:
    """`log`: log likelihood of every day, days x pairs (`VARIANCE`, `CORRELATION`), each given the days before it."""

    log: Floats

    @classmethod
    def guess(cls, days: int) -> "Scatter":
        return cls(np.zeros((days, VARIANCE.size)))

    @cached_property
    def _running(self) -> Floats:
        return np.vstack((np.zeros(VARIANCE.size), np.cumsum(self.log, axis=0)))

    def weights(self, first: Indices, last: Indices) -> Floats:
        """Posterior weights of the pairs from days [first, last): as many rows as days are asked for."""
        log = self._running[last] - self._running[first] + LOG_PRIOR
        weight = np.exp(log - log.max(1, keepdims=True))
        return np.asarray(weight / weight.sum(1, keepdims=True))

    def before(self, day: Indices) -> Floats:
        """Weights from what was known before each of these days."""
        return self.weights(np.maximum(day - SCATTER_DAYS, 0), np.maximum(day, 0))

    @cached_property
    def _around(self) -> Floats:
        days = len(self.log)
        first = np.clip(np.arange(days) - SCATTER_DAYS // 2, 0, max(days - SCATTER_DAYS, 0))
        return self.weights(first, np.minimum(first + SCATTER_DAYS, days))

    @cached_property
    def frailty(self) -> Floats:
        """k per day: variance is `m + m^2 / k`."""
        return np.asarray(1 / (self._around @ VARIANCE))

    @cached_property
    def persistence(self) -> Floats:
        """Variance of a week's mean frailty over that of seven independent days, per day."""
        return np.asarray(self._around @ (VARIANCE * WEEK) * self.frailty)

    def variance(self, mean: Floats) -> Floats:
        return np.asarray(CLUSTERED * mean + mean**2 / self.frailty)


def scatter(counts: Floats, mean: Floats, doubt: Floats) -> Scatter:
    """`mean`: per day, with all effects; `doubt`: variance of that mean, as far as effects are uncertain."""
    mean = np.maximum(mean, 1e-3)
    surprise = counts / mean - 1
    noise = CLUSTERED / mean + doubt / mean**2
    log = np.empty((counts.size, VARIANCE.size))
    state, spread = np.zeros(VARIANCE.size), VARIANCE.copy()
    fresh = VARIANCE * (1 - CORRELATION**2)
    for day, (seen, own) in enumerate(zip(surprise.tolist(), noise.tolist(), strict=True)):
        total = spread + own
        wide = SURPRISE * np.sqrt(total)
        innovation = np.minimum(np.maximum(seen - state, -wide), wide)
        log[day] = innovation**2 / total + np.log(total)
        gain = spread / total
        state = CORRELATION * (state + gain * innovation)
        spread = CORRELATION**2 * spread * (1 - gain) + fresh
    return Scatter(-0.5 * log)
