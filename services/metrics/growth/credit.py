"""Who gets the credit where publications overlap: one joint fit of all effects.

Joins above the baseline, in blocks of 6 hours, are fitted by weighted least squares with one kernel a publication
(quasi-negative-binomial weights). An effect is then shrunk as if a quarter of all publications did nothing and the
others had an exponential size (spike and slab, in closed form): who stands beside an idle one pays little for noise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from services.metrics.growth.model import Floats

SLAB_DAYS = np.array([1.0, 4.0, 16.0])  # mean sizes, in days of the baseline
IDLE = 0.25  # prior share of publications that bring nobody
EFFECT_SD = 1e4  # of the fit before shrinkage: twins in the same hour share evenly


@dataclass(frozen=True)
class Credit:
    """Joins brought in all, per publication: posterior mean and variance."""

    size: Floats
    variance: Floats


def fit(surplus: Floats, variance: Floats, kernels: Floats, daily: Floats) -> Credit:
    """`surplus`, `variance`: per block; `kernels`: blocks x publications; `daily`: joins of a normal day at each."""
    if not kernels.shape[1]:
        return Credit(np.zeros(0), np.zeros(0))
    weighted = kernels / variance[:, None]
    normal = weighted.T @ kernels
    spread = EFFECT_SD + 100 * daily
    normal[np.diag_indices_from(normal)] += spread**-2.0
    covariance = np.linalg.inv(normal)
    return shrink(covariance @ (weighted.T @ surplus), np.sqrt(np.diag(covariance)), daily)


def shrink(size: Floats, error: Floats, daily: Floats) -> Credit:
    """Posterior of sizes seen with normal errors, under a spike at 0 and a slab (a mixture of exponentials)."""
    size, error = size[:, None], error[:, None]
    slab = SLAB_DAYS * daily[:, None] + 2.0
    centre = size - error**2 / slab
    z = centre / error
    inside = log_ndtr(z)
    log_spike = np.log(IDLE) - 0.5 * (size / error) ** 2 - np.log(error) - 0.5 * np.log(2 * np.pi)
    log_slab = -np.log(slab) - size / slab + 0.5 * (error / slab) ** 2 + inside + np.log((1 - IDLE) / SLAB_DAYS.size)
    top = np.maximum(log_slab.max(1, keepdims=True), log_spike)
    weight = np.exp(log_slab - top)
    weight /= weight.sum(1, keepdims=True) + np.exp(log_spike - top)
    ratio = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - inside)
    mean = np.maximum(centre + error * ratio, 0.0)
    square = np.maximum(error**2 + centre * mean, mean**2)
    total = (weight * mean).sum(1)
    return Credit(total, (weight * square).sum(1) - total**2)
