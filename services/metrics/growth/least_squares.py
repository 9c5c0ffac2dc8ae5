"""Quasi-negative-binomial least squares: what blocks of joins say about the sizes of terms, as normal equations.

Joins of a block vary like their mean, those of a day all together by the frailty: V = D + u u' / k a day, which the
Sherman-Morrison formula inverts. u is the geometric mean of the joins expected with all terms and with none: so a
normal judges between the two nearly as the gamma of the frailty does. The step within the day of a publication counts
for what it is, however much days differ (McCullagh 1983, quasi-likelihood; Sherman and Morrison 1950).
"""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.model import Floats
from services.metrics.growth.stream import BLOCKS_A_DAY, day_sums
from services.metrics.growth.terms import Terms

MISFIT = 0.055  # a block's mean is known to 5 % at best: the shape of a week and the kernels are estimates


@dataclass(frozen=True)
class Equations:
    """`gram @ size = right`, terms x terms: the log likelihood is `right @ size - size @ gram @ size / 2`."""

    gram: Floats
    right: Floats


@dataclass(frozen=True)
class Weights:
    """The inverse of V. `shared` (u), `free` (one over what a block varies by itself): per block; `pull`: per day."""

    shared: Floats
    free: Floats
    pull: Floats

    @classmethod
    def of(cls, mean: Floats, base: Floats, frailty: Floats) -> "Weights":
        """`mean`, `base`: joins expected with all terms and with none, per block. `frailty`: k per day."""
        free = 1 / (mean + (MISFIT * mean) ** 2 + 0.02)
        shared = np.sqrt(mean * np.maximum(base, 0.0))
        return cls(shared, free, 1 / (frailty + day_sums(shared**2 * free)))

    def days(self, first: int, end: int) -> "Weights":
        """Those of days [first, end)."""
        blocks = slice(first * BLOCKS_A_DAY, end * BLOCKS_A_DAY)
        return Weights(self.shared[blocks], self.free[blocks], self.pull[first:end])

    def applied(self, rows: Floats) -> Floats:
        """`rows @ V^-1`, rows x blocks."""
        weighted = rows * self.free
        together = np.repeat(day_sums(weighted * self.shared) * self.pull, BLOCKS_A_DAY, axis=-1)
        return np.asarray(weighted - together * self.shared * self.free)


def equations(terms: Terms, surplus: Floats, weights: Weights) -> Equations:
    """`surplus`: joins beyond those expected without any term, per block."""
    count, blocks = len(terms), surplus.size
    dense = np.zeros((count, blocks))
    last = terms.first + np.array([mass.size for mass in terms.mass], dtype=np.int64)
    for row, first, end, mass in zip(dense, terms.first, last, terms.mass, strict=True):
        row[first:end] = mass
    gram, right = np.zeros((count, count)), np.zeros(count)
    opens, closes = terms.first // BLOCKS_A_DAY, -(-last // BLOCKS_A_DAY)
    for i, (first, end) in enumerate(zip(opens.tolist(), closes.tolist(), strict=True)):
        near = slice(first * BLOCKS_A_DAY, end * BLOCKS_A_DAY)
        weighted = weights.days(first, end).applied(dense[i, near])
        beside = (opens < end) & (closes > first)
        gram[i, beside] = dense[beside, near] @ weighted
        right[i] = weighted @ surplus[near]
    return Equations((gram + gram.T) / 2, right)


def free_fit(found: Equations, spread: Floats) -> tuple[Floats, Floats]:
    """Sizes without sign or shrinkage, and their covariance. `spread`: prior standard deviation per term."""
    covariance = np.asarray(np.linalg.inv(found.gram + np.diag(spread**-2.0)), dtype=np.float64)
    return covariance @ found.right, covariance


def fit_alone(found: Equations, spread: Floats) -> tuple[Floats, Floats]:
    """Sizes as if each term were the only one, and their standard errors."""
    precision = np.diag(found.gram) + spread**-2.0
    return found.right / precision, precision**-0.5
