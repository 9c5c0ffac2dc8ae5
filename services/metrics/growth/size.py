"""How many extra joins, with a range and a verdict: a negative-binomial base, a flat prior on what came on top.

n joins were observed, the base is a mixture of NB(mean, variance) with the baseline's own error in the variance
(`foresight`), C = n - base, C >= 0.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln

from services.metrics.growth.foresight import Mixture
from services.metrics.growth.model import Counts, Floats

COVER = 0.90
GRID = 512  # points; whole numbers below that, steps above
WIDE = 9.0  # standard deviations of the base that are looked at


def _gamma_shape(mean: Floats, variance: Floats) -> Floats:
    return np.asarray(mean**2 / np.maximum(variance - mean, 1e-4 * mean + 1e-9))


def middle(mean: Floats, variance: Floats) -> tuple[Counts, Counts]:
    """The middle 90 % of the base itself."""
    shape = mean**2 / variance  # of a gamma with these moments: close enough to the negative binomial for a picture
    low, high = (gammaincinv(shape, q) * variance / mean for q in ((1 - COVER) / 2, (1 + COVER) / 2))
    return np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64)


def interval(observed: Counts, base: Mixture) -> tuple[Counts, Counts]:
    """Highest-density 90 % interval of the extra joins, per row."""
    spread = np.sqrt(base.variance)
    likely = base.weight > 1e-6
    lowest = np.where(likely, base.mean - WIDE * spread, np.inf).min(1)
    widest = np.where(likely, spread, 0.0).max(1)
    most = observed[:, None].astype(np.float64)
    least = np.maximum(np.floor(np.minimum(lowest, observed - 2 * widest)), 0)[:, None]
    step = np.maximum(np.ceil((most - least + 1) / GRID), 1.0)
    joins = most - step * np.arange(GRID)
    log = np.full(joins.shape, -np.inf)
    b = np.maximum(joins, 0.0)
    for k in range(base.mean.shape[1]):
        mean, shape = base.mean[:, k, None], _gamma_shape(base.mean[:, k], base.variance[:, k])[:, None]
        odds = shape * np.log(shape / (mean + shape)) + b * np.log(mean / (mean + shape))
        part = gammaln(b + shape) - gammaln(shape) + odds + np.log(np.maximum(base.weight[:, k], 1e-300))[:, None]
        log = np.logaddexp(log, part)
    log -= gammaln(b + 1)
    log = np.where(joins >= least, log, -np.inf)
    mass = np.exp(log - log.max(1, keepdims=True))
    mass /= mass.sum(1, keepdims=True)
    return _densest(mass, (most - joins).astype(np.int64))


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
