"""The same community as counts by the hour, at any size: for calibrating the science, where people are not needed.

The model is that of `cascade`, generation by generation: organic joins with the week's shape and days that differ,
direct effects, unlisted surges, and referrals of all of them. Every column has one root: the truth per cause is exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from kairan.year.cascade import HOUR_SHAPE, REFERRAL_MEAN_H, REFERRALS, WEEKDAY_SHAPE

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
REFERRAL_REACH_H = 288
GENERATIONS = 30


@dataclass(frozen=True)
class Cause:
    """Something at hour `at` that brings `expected` joins directly: `mean_h` later on average, or over `evenly_h`."""

    at: int
    expected: float
    mean_h: float = 24.0
    evenly_h: int | None = None


@dataclass(frozen=True)
class World:
    """How a community joins. Starts at the midnight of a Monday. `growth`: of the log rate over a year."""

    days: int = 365
    per_day: float = 7.0
    growth: float = 0.0
    day_variance: float = 0.03
    day_correlation: float = 0.0
    referrals: float = REFERRALS

    def joins(self, causes: Sequence[Cause], rng: np.random.Generator) -> Counts:
        """Hours x (1 + causes): organic joins, then those of every cause, referrals included in each."""
        hour = np.arange(self.days * 24)
        shape = HOUR_SHAPE[hour % 24] / HOUR_SHAPE.mean() * (WEEKDAY_SHAPE / WEEKDAY_SHAPE.mean())[hour // 24 % 7]
        rate = np.zeros((hour.size, 1 + len(causes)))
        trend = np.exp(self.growth * (hour - hour.size / 2) / (365 * 24))
        rate[:, 0] = self.per_day * (1 - self.referrals) / 24 * trend * shape * np.repeat(self._day_factors(rng), 24)
        for column, cause in enumerate(causes, start=1):
            after = hour[: hour.size - cause.at]
            if cause.evenly_h is None:
                mass = np.exp(-after / cause.mean_h) * -np.expm1(-1 / cause.mean_h)
            else:
                mass = (after < cause.evenly_h) / cause.evenly_h
            rate[cause.at :, column] = cause.expected * mass * shape[cause.at :]
        return self._with_referrals(rng.poisson(rate), rng)

    def _day_factors(self, rng: np.random.Generator) -> Floats:
        """Mean 1, variance `day_variance`, correlated from day to day on the log scale."""
        if not self.day_correlation:
            return rng.gamma(1 / self.day_variance, self.day_variance, self.days)
        variance = np.log1p(self.day_variance)
        noise = rng.normal(size=self.days)
        for day in range(1, self.days):
            fresh = np.sqrt(1 - self.day_correlation**2) * noise[day]
            noise[day] = self.day_correlation * noise[day - 1] + fresh
        return np.asarray(np.exp(np.sqrt(variance) * noise - variance / 2))

    def _with_referrals(self, roots: Counts, rng: np.random.Generator) -> Counts:
        delay = -np.diff(np.exp(-np.arange(REFERRAL_REACH_H + 1) / REFERRAL_MEAN_H))[:, None]
        total, generation, columns = roots.copy(), roots, np.arange(roots.shape[1])
        for _ in range(GENERATIONS):
            alive = generation.any(0)
            generation, columns = generation[:, alive], columns[alive]
            if not columns.size:
                break
            expected = self.referrals * fftconvolve(generation.astype(float), delay, axes=0)[: len(roots)]
            rate = np.zeros(generation.shape)
            rate[1:] = np.where(expected > 1e-9, expected, 0.0)[:-1]
            generation = rng.poisson(rate)
            total[:, columns] += generation
        return total
