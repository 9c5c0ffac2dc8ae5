"""What the week after a publication would have brought without it, as a mixture of negative binomials.

The level and its trend come from the past (`baseline.forecast`); how far a week strays from them from the scatter: for
every pair of its grid the frailty of the last days is carried into the week (it fades with the correlation), and the
week's own variance is what is left of it. The pairs, by their posterior weights, are the mixture; neighbours in
variance are pooled, as a few components say the same.
"""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.model import Floats
from services.metrics.growth.scatter import CLUSTERED, CORRELATION, VARIANCE

RECENT = 12  # days whose frailty is carried on
COMPONENTS = 6
MISJUDGED = 0.015  # standard deviation of a level that changes while nobody looks, as a share of it
LEAST_SHARE = 0.25  # of the level: frailty takes no more away
BOUND = 1e-6  # relative: a negative binomial is always wider than Poisson


@dataclass(frozen=True)
class Mixture:
    """Of joins in each window: mean, variance and weight of every component, publications x components."""

    mean: Floats
    variance: Floats
    weight: Floats

    @property
    def expected(self) -> Floats:
        return np.asarray((self.weight * self.mean).sum(1))


@dataclass(frozen=True)
class Recent:
    """The `RECENT` whole days before each publication, latest first: relative surprise and the variance of its
    noise (publications x RECENT). A day before the stream has an endless variance."""

    surprise: Floats
    noise: Floats


def foresee(weight: Floats, recent: Recent, days: Floats, level_error: Floats, long_run: Floats) -> Mixture:
    """`weight`: of pairs, publications x pairs. `days`: joins that the level expects on each Japanese day of the
    window, the first being the publication's own (publications x days). `level_error`: variance of their sum.
    `long_run`: publications x pairs, by how much more a level errs where days drag on."""
    drift, kept = _carried(recent, days)
    mean = days.sum(1)[:, None]
    strayed = np.maximum(mean + drift, LEAST_SHARE * mean)
    variance = CLUSTERED * strayed + kept + level_error[:, None] * long_run + (MISJUDGED * mean) ** 2
    return _pooled(strayed, variance, weight)


def _carried(recent: Recent, days: Floats) -> tuple[Floats, Floats]:
    """Of each window's sum, per pair: what the frailty of the last days adds, and the variance that is left."""
    past, ahead = np.arange(RECENT), np.arange(days.shape[1])
    gap = 1 + past[:, None] + ahead[None, :]
    known = VARIANCE[:, None, None] * CORRELATION[:, None, None] ** np.abs(past[:, None] - past[None, :])
    cross = VARIANCE[:, None, None] * CORRELATION[:, None, None] ** gap
    own = VARIANCE[:, None, None] * CORRELATION[:, None, None] ** np.abs(ahead[:, None] - ahead[None, :])
    towards = np.einsum("gra,pa->pgr", cross, days)  # covariance of the sum with each recent day
    noisy = known[None] + np.einsum("pr,rs->prs", recent.noise, np.eye(RECENT))[:, None]
    solved = np.linalg.solve(noisy, towards[..., None])[..., 0]
    drift = np.einsum("pgr,pr->pg", solved, recent.surprise)
    left = np.einsum("gab,pa,pb->pg", own, days, days) - np.einsum("pgr,pgr->pg", solved, towards)
    return drift, np.maximum(left, 0.0)


def long_run(mean_day: Floats, frailty: Floats) -> Floats:
    """Variance of a long mean over what independent days of that frailty would have: publications x pairs."""
    drag = VARIANCE * (1 + CORRELATION) / (1 - CORRELATION)
    day = mean_day[:, None]
    return np.asarray((CLUSTERED * day + day**2 * drag) / (CLUSTERED * day + day**2 / frailty[:, None]))


def _pooled(mean: Floats, variance: Floats, weight: Floats) -> Mixture:
    """Neighbours in variance together, about as much weight in each component."""
    order = np.argsort(variance, axis=1, kind="stable")
    mean, variance, weight = (np.take_along_axis(values, order, 1) for values in (mean, variance, weight))
    middle = np.cumsum(weight, axis=1) - weight / 2
    slot = np.minimum((middle * COMPONENTS).astype(np.int64), COMPONENTS - 1)
    member = (slot[:, :, None] == np.arange(COMPONENTS)) * weight[:, :, None]
    total = member.sum(1)
    safe = np.maximum(total, 1e-300)
    pooled = np.einsum("pgc,pg->pc", member, mean) / safe
    spread = np.einsum("pgc,pg->pc", member, variance + mean**2) / safe - pooled**2
    whole = (weight * mean).sum(1)[:, None]
    empty = total <= 1e-12
    pooled = np.where(empty, whole, pooled)
    return Mixture(
        np.maximum(pooled, 1e-9),
        np.where(empty, whole + 1, np.maximum(spread, pooled * (1 + BOUND))),
        np.where(empty, 0.0, total),
    )
