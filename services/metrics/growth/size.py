"""How many extra joins, with a range and a verdict: a negative-binomial base, a flat prior on what came on top.

n joins were observed, base ~ NB(mean, variance) with the baseline's own error in the variance, C = n - base, C >= 0.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, gammaincinv, gammaln

from services.metrics.growth.model import Counts, Floats

COVER = 0.90
CLEAR = 0.01
CLEAR_IN_REST = 0.05
GRID = 512  # points; whole numbers below that, steps above
WIDE = 9.0  # standard deviations of the base that are looked at


def _gamma_shape(mean: Floats, variance: Floats) -> Floats:
    return np.asarray(mean**2 / np.maximum(variance - mean, 1e-4 * mean + 1e-9))


def tail(observed: Counts, mean: Floats, variance: Floats) -> Floats:
    """P(base >= observed): how often at least so many come when nothing was brought."""
    shape = _gamma_shape(mean, variance)
    chance = betainc(np.maximum(observed, 1), shape, mean / (shape + mean))
    return np.asarray(np.where(observed > 0, chance, 1.0))


def middle(mean: Floats, variance: Floats) -> tuple[Counts, Counts]:
    """The middle 90 % of the base itself."""
    shape = mean**2 / variance  # of a gamma with these moments: close enough to the negative binomial for a picture
    low, high = (gammaincinv(shape, q) * variance / mean for q in ((1 - COVER) / 2, (1 + COVER) / 2))
    return np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64)


def interval(observed: Counts, mean: Floats, variance: Floats) -> tuple[Counts, Counts]:
    """Highest-density 90 % interval of the extra joins, per row."""
    mean, spread = mean[:, None], np.sqrt(variance)[:, None]
    least = np.maximum(np.floor(np.minimum(mean - WIDE * spread, observed[:, None] - 2 * spread)), 0)
    most = observed[:, None].astype(float)
    step = np.maximum(np.ceil((most - least + 1) / GRID), 1.0)
    base = most - step * np.arange(GRID)
    shape = _gamma_shape(mean, variance[:, None])
    b = np.maximum(base, 0.0)
    log = gammaln(b + shape) - gammaln(b + 1) + b * np.log(mean / (mean + shape))
    log = np.where(base >= least, log, -np.inf)
    mass = np.exp(log - log.max(1, keepdims=True))
    mass /= mass.sum(1, keepdims=True)
    return _densest(mass, (most - base).astype(np.int64))


def _densest(mass: Floats, extra: Counts) -> tuple[Counts, Counts]:
    """The fewest points, densest first, that hold the cover; the mass has one peak, so that they are an interval."""
    order = np.argsort(-mass, axis=1, kind="stable")
    held = np.cumsum(np.take_along_axis(mass, order, 1), 1)
    kept: NDArray[np.bool_] = np.zeros(mass.shape, dtype=bool)
    np.put_along_axis(kept, order, np.roll(held, 1, axis=1) < COVER, 1)
    kept[np.arange(len(mass)), order[:, 0]] = True
    low = np.where(kept, extra, np.iinfo(np.int64).max).min(1)
    high = np.where(kept, extra, -1).max(1)
    return low, high
