"""Who gets the credit where publications overlap: one joint fit of all effects.

Joins above the baseline, in blocks of 6 hours, are fitted by weighted least squares with one kernel a publication
(quasi-negative-binomial weights). An effect is then shrunk as if a quarter of all publications did nothing and the
others had an exponential size (spike and slab, in closed form): who stands beside an idle one pays little for noise.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from services.metrics.growth.model import Floats, Indices

SLAB_DAYS = np.array([1.0, 4.0, 16.0])  # mean sizes, in days of the baseline
IDLE = 0.25  # prior share of publications that bring nobody
EFFECT_SD = 1e4  # of the fit before shrinkage: no prior to speak of
TWINS_H = 6  # publications so close are told apart by nobody


@dataclass(frozen=True)
class Credit:
    """Joins brought in all, per publication: posterior mean and variance."""

    size: Floats
    variance: Floats


def fit(surplus: Floats, variance: Floats, kernels: Floats, daily: Floats, at: Indices) -> Credit:
    """`surplus`, `variance`: per block; `kernels`: blocks x publications; `daily`: joins of a normal day at each.

    `at`: hours of the publications, rising. Twins are fitted as one; how they share is not known (a flat Dirichlet).
    """
    if not at.size:
        return Credit(np.zeros(0), np.zeros(0))
    group = _twins(at)
    members = np.bincount(group)
    together = np.zeros((at.size, members.size))
    together[np.arange(at.size), group] = 1 / members[group]
    joint = _fit_apart(surplus, variance, kernels @ together, together.T @ daily)
    count = members[group].astype(np.float64)
    size = joint.size[group] / count
    unknown_share = (count - 1) / (count**2 * (count + 1))
    return Credit(size, joint.variance[group] / count**2 + unknown_share * joint.size[group] ** 2)


def _twins(at: Indices) -> Indices:
    """The group of each publication: those less than `TWINS_H` after the first of a group belong to it."""
    group = np.zeros(at.size, dtype=np.int64)
    first = at[0]
    for i in range(1, at.size):
        group[i] = group[i - 1] + (at[i] - first >= TWINS_H)
        first = at[i] if group[i] > group[i - 1] else first
    return group


def _fit_apart(surplus: Floats, variance: Floats, kernels: Floats, daily: Floats) -> Credit:
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
