"""What would have come anyway: a level that forgets 3 % a day, and its trend.

The level is the discounted Gamma of Harvey and Fernandes (1989) written as a discounted regression, so that a trend and
the effects of earlier publications can be fitted beside it: past days are explained by level, trend and one term per
earlier publication, all signed and unbiased (with effects bound to be positive, the noise of idle publications would be
taken from the level). The trend is shrunk to none. Days far above the level are cut in it (and kept in the scatter).
"""

from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from services.metrics.growth.model import Floats

DISCOUNT = 0.97  # per day
MEMORY_DAYS = 150  # 0.97 ** 150 is 1 %
TREND_SD = 0.012  # prior standard deviation of the trend: share of the level per day
EFFECT_SD_DAYS = 20.0  # prior standard deviation of an effect in days of the level: next to nothing
CUT = 3.0  # times the level
PSEUDO_JOINS = 0.5


def around(counts: Floats, exposure: Floats, weight: Floats) -> Floats:
    """Level of every day from the days before and after it, not itself (joins per unit of exposure).

    `weight`, 0 to 1: how much a day tells of the level. A day full of a publication's joins tells little: what its
    kernel does not hold would raise the level around it, and with it the scatter of all days before it.
    """
    mean = ((weight * counts).sum() + PSEUDO_JOINS) / max((weight * exposure).sum(), 1.0)
    joins = _neighbours(weight * counts) + PSEUDO_JOINS
    return np.asarray(joins / (_neighbours(weight * exposure) + PSEUDO_JOINS / mean))


def _neighbours(values: Floats) -> Floats:
    return _before(values) + _before(values[::-1])[::-1]


def _before(values: Floats) -> Floats:
    """The sum of all values before each one, each discounted once a day."""
    sums = accumulate(values.tolist(), lambda before, value: DISCOUNT * (before + value), initial=0.0)
    return np.fromiter(sums, float, len(values))


def cut(counts: Floats, mean: Floats) -> Floats:
    """Daily counts with surges cut at 3 x the mean (or at what chance alone does at small means)."""
    return np.asarray(np.minimum(counts, np.maximum(CUT * mean, mean + 4 * np.sqrt(mean) + 3)))


@dataclass(frozen=True)
class Forecast:
    """Level (joins per unit of exposure) at an origin, its change per day, and their joint covariance (2 x 2)."""

    level: float
    trend: float
    covariance: Floats

    def mean(self, exposure: Floats, days_on: Floats) -> Floats:
        """Expected joins of blocks: their exposure, and their distance from the origin in days."""
        rate = np.maximum(self.level + self.trend * days_on, 0.25 * self.level)
        return np.asarray(exposure * rate)

    def variance(self, exposure: Floats, days_on: Floats) -> float:
        """Variance of the expected sum over the blocks: the baseline's own error."""
        weights = np.array([exposure.sum(), (exposure * days_on).sum()])
        return float(weights @ self.covariance @ weights)


def forecast(
    counts: Floats, exposure: Floats, age: Floats, variance: Floats, effects: Floats, prior: float
) -> Forecast:
    """Regress the past on level, trend and earlier effects.

    `counts`, `exposure`, `age` (days before the origin, middle of the block), `variance`: one value a block of the
    past; `effects`: blocks x publications; `prior`: level before anything is seen (joins per unit of exposure).
    """
    weight = DISCOUNT**age / variance
    design = np.column_stack((exposure, -exposure * age, effects))
    precision = np.zeros(design.shape[1])
    daily = 24 * prior
    precision[:2] = (2 * prior) ** -2, (TREND_SD * prior) ** -2
    precision[2:] = (EFFECT_SD_DAYS * daily + 20) ** -2
    weighted = design * weight[:, None]
    normal = weighted.T @ design
    normal[np.diag_indices_from(normal)] += precision
    right = weighted.T @ counts
    right[0] += prior * precision[0]
    covariance = np.linalg.inv(normal)
    level, trend = (covariance @ right)[:2]
    floor = PSEUDO_JOINS / (float((DISCOUNT**age * exposure).sum()) + PSEUDO_JOINS / prior)
    if level < floor:
        level, trend = floor, 0.0
    own = np.array(covariance[:2, :2], dtype=np.float64)
    own[0, 0] = max(own[0, 0], floor**2 / PSEUDO_JOINS)
    return Forecast(float(level), float(trend), own)
