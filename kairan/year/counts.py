"""The same community as counts by the hour, at any size: for calibrating the science, where people are not needed.

The model is that of `cascade`, generation by generation: organic joins with the week's shape and days that differ,
direct effects, unlisted surges, and referrals of all of them. Every column has one root: the truth per cause is exact.
What the estimator does not fit can be switched on: laws of delay other than its own, the office's calendar, level
shifts, drift, days that drag one another along.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, lfilter

from kairan.year.cascade import HOUR_SHAPE, REFERRAL_MEAN_H, REFERRALS, WEEKDAY_SHAPE
from kairan.year.delays import Delay, Exponential, Square
from kairan.year.office import Office

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
REFERRAL_REACH_H = 288
GENERATIONS = 30
A_MONDAY = date(2020, 1, 6)


@dataclass(frozen=True)
class Cause:
    """Something at hour `at` (0 or later) that brings `expected` joins directly, by the law of `delay`.

    Without `delay`: exponentially, `mean_h` later on average, or, where `evenly_h` is given, over so many hours evenly.
    `expected` is thinned by the week's shape, so that it holds on average over the hours of the week. `alone`: whom it
    brings, bring nobody.
    """

    at: int
    expected: float
    mean_h: float = 24.0
    evenly_h: int | None = None
    delay: Delay | None = None
    alone: bool = False

    def rate(self, shape: Floats) -> Floats:
        """Expected direct joins in each hour of a world with this shape."""
        found = np.zeros(shape.size)
        law = self.delay or (Exponential(self.mean_h) if self.evenly_h is None else Square(self.evenly_h))
        found[self.at :] = self.expected * law.mass(shape.size - self.at) * shape[self.at :]
        return found


@dataclass(frozen=True)
class Shift:
    """From hour `at` on, organic joins come at `factor` times the rate."""

    at: int
    factor: float


@dataclass(frozen=True)
class World:
    """How a community joins, from the midnight (Asia/Tokyo) of `start`, a Monday unless said otherwise.

    `per_day`: joins without any cause on average, referrals included (without `office`, `shifts` and `drift`).
    `growth`: of the log rate over a year. `day_variance`, `day_correlation`: of the factor of a day. `referrals`: how
    many each join brings along, below 1. `drift`: standard deviation of the log rate's random walk per day.
    """

    days: int = 365
    per_day: float = 7.0
    growth: float = 0.0
    day_variance: float = 0.03
    day_correlation: float = 0.0
    referrals: float = REFERRALS
    start: date = A_MONDAY
    office: Office | None = None
    shifts: tuple[Shift, ...] = ()
    drift: float = 0.0

    @property
    def shape(self) -> Floats:
        """Exposure of every hour by hour of the day and weekday; mean 1 over a week."""
        hour = np.arange(self.days * 24)
        weekday = (self.start.weekday() + hour // 24) % 7
        return np.asarray(HOUR_SHAPE[hour % 24] / HOUR_SHAPE.mean() * (WEEKDAY_SHAPE / WEEKDAY_SHAPE.mean())[weekday])

    def joins(self, causes: Sequence[Cause], rng: np.random.Generator) -> Counts:
        """Hours x (1 + causes): organic joins, then those of every cause, referrals included in each."""
        shape = self.shape if self.office is None else self.shape * self._office_factors()
        organic = self.per_day * (1 - self.referrals) / 24 * shape * self._trend(rng)
        organic *= np.repeat(self._day_factors(rng), 24)
        roots = rng.poisson(np.column_stack([organic, *(cause.rate(shape) for cause in causes)]))
        return self._with_referrals(roots, np.array([True, *(not cause.alone for cause in causes)]), rng)

    def _office_factors(self) -> Floats:
        assert self.office is not None
        return np.repeat(self.office.factors(self.start, self.days), 24)

    def _trend(self, rng: np.random.Generator) -> Floats:
        """Factor of every hour on the organic rate: growth (1 in the middle), level shifts, drift (1 at the start)."""
        hour = np.arange(self.days * 24)
        trend = np.exp(self.growth * (hour - hour.size / 2) / (365 * 24))
        for shift in self.shifts:
            trend[shift.at :] *= shift.factor
        if self.drift:
            trend *= np.repeat(np.exp(self.drift * np.cumsum(rng.normal(size=self.days))), 24)
        return np.asarray(trend)

    def _day_factors(self, rng: np.random.Generator) -> Floats:
        """Mean 1, variance `day_variance`, correlated from day to day on the log scale."""
        if not self.day_variance:
            return np.ones(self.days)
        if not self.day_correlation:
            return rng.gamma(1 / self.day_variance, self.day_variance, self.days)
        variance = np.log1p(self.day_variance)
        fresh = rng.normal(size=self.days)
        fresh[1:] *= np.sqrt(1 - self.day_correlation**2)
        noise = lfilter([1.0], [1.0, -self.day_correlation], fresh)
        return np.asarray(np.exp(np.sqrt(variance) * noise - variance / 2))

    def _with_referrals(self, roots: Counts, bringing: NDArray[np.bool_], rng: np.random.Generator) -> Counts:
        """`bringing`: the columns whose joins bring others along."""
        delay = -np.diff(np.exp(-np.arange(REFERRAL_REACH_H + 1) / REFERRAL_MEAN_H))[:, None]
        total = roots.copy()
        columns = np.flatnonzero(bringing) if self.referrals else np.array([], dtype=np.int64)
        generation = roots[:, columns]
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
