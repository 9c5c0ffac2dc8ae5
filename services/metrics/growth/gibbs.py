"""A Gibbs sampler over the sizes of all terms jointly: spike and slab, several chains side by side.

One term after the other is drawn given the others, on a grid of sizes that is shifted at random each time (griddy Gibbs:
Ritter and Tanner 1992) and holds "nothing" as a point of its own, so spike and slab are drawn in one step. What joins
say comes from one of two likelihoods: `CountLikelihood` for small streams (negative binomial by the day, multinomial
within it), `NormalLikelihood` for large ones. The seed is made of what is sampled.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np

from services.metrics.growth.least_squares import Equations
from services.metrics.growth.model import Floats
from services.metrics.growth.prior import Prior
from services.metrics.growth.stream import BLOCKS_A_DAY
from services.metrics.growth.terms import LEVEL, Terms

POINTS = 14
SINGLE = np.float32
TINY = SINGLE(1e-6)


class Likelihood(Protocol):
    """What joins say of one term's size, the sizes of all others as they are (in every chain)."""

    def log(self, term: int, sizes: Floats) -> Floats:
        """Log likelihood of sizes, chains x points, up to a constant per chain."""

    def put(self, term: int, size: Floats) -> None:
        """Let a term have these sizes from now on (one a chain)."""


@dataclass(frozen=True)
class Ranges:
    """Of each term: the sizes that are looked at. Those of a level may be negative."""

    low: Floats
    high: Floats


def rng_of(*parts: Floats) -> np.random.Generator:
    """A generator that depends on nothing but the numbers it is made of."""
    digest = blake2b(digest_size=8)
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))


def sweep(likelihood: Likelihood, prior: Prior, terms: Terms, ranges: Ranges, sizes: Floats) -> None:
    """Draw every term once, in a random order, then what is common to them. Writes into `sizes`, chains x terms."""
    rng, chains = prior.rng, np.arange(len(sizes))
    grid = np.zeros((len(sizes), POINTS + 1))
    for term in rng.permutation(len(terms)).tolist():
        step = (ranges.high[term] - ranges.low[term]) / POINTS
        grid[:, 1:] = ranges.low[term] + step * (np.arange(POINTS) + rng.random((len(sizes), 1)))
        unit = 1.0 if terms.role[term] == LEVEL else terms.daily[term]
        log = likelihood.log(term, grid)
        slab, spike = prior.log_density(int(terms.role[term]), grid[:, 1:] / unit)
        log[:, 1:] += slab + np.log(step / unit)
        log[:, 0] += spike
        weight = np.cumsum(np.exp(log - log.max(1, keepdims=True)), axis=1)
        chosen = (weight < (rng.random(len(sizes)) * weight[:, -1])[:, None]).sum(1)
        size = grid[chains, np.minimum(chosen, POINTS)]
        likelihood.put(term, size)
        sizes[:, term] = size
    prior.learn(terms.role, sizes / terms.daily)


class NormalLikelihood:
    """Least squares: quadratic in the sizes."""

    def __init__(self, equations: Equations, sizes: Floats) -> None:
        self._gram, self._sizes = equations.gram, sizes.copy()
        self._left = equations.right - sizes @ equations.gram

    def log(self, term: int, sizes: Floats) -> Floats:
        curve = self._gram[term, term]
        pull = self._left[:, term] + curve * self._sizes[:, term]
        return np.asarray(sizes * (pull[:, None] - 0.5 * curve * sizes))

    def put(self, term: int, size: Floats) -> None:
        self._left -= (size - self._sizes[:, term])[:, None] * self._gram[term]
        self._sizes[:, term] = size


@dataclass(frozen=True)
class _Part:
    """A term where it lies: its blocks (whole days), those of them that had joins, its days."""

    blocks: slice
    mass: Floats
    seen: Floats  # indices of blocks with joins, within `blocks`
    seen_mass: Floats
    seen_joins: Floats
    day_mass: Floats
    day_frailty: Floats
    day_weight: Floats  # frailty + joins


class CountLikelihood:
    """Negative binomial by the day, multinomial within it: `sum n log m - (k + n_day) log(k + m_day)`.

    In single precision: a likelihood is needed to three digits.
    """

    def __init__(self, terms: Terms, joins: Floats, base: Floats, frailty: Floats, sizes: Floats) -> None:
        self._parts = [_part(terms, i, joins, frailty) for i in range(len(terms))]
        self._mean = np.repeat(base[None].astype(SINGLE), len(sizes), axis=0)
        self._sizes = np.zeros_like(sizes, dtype=SINGLE)
        for term in range(len(terms)):
            self.put(term, sizes[:, term])

    def log(self, term: int, sizes: Floats) -> Floats:
        part, grid = self._parts[term], sizes.astype(SINGLE)
        rest = np.maximum(self._mean[:, part.blocks] - self._sizes[:, term, None] * part.mass, TINY)
        mean = rest[:, part.seen][:, None, :] + grid[:, :, None] * part.seen_mass
        days = rest.reshape(len(rest), -1, BLOCKS_A_DAY).sum(2) + part.day_frailty
        total = days[:, None, :] + grid[:, :, None] * part.day_mass
        log = np.log(np.maximum(mean, TINY, out=mean), out=mean) @ part.seen_joins
        log -= np.log(np.maximum(total, TINY, out=total), out=total) @ part.day_weight
        return np.asarray(log, dtype=np.float64)

    def put(self, term: int, size: Floats) -> None:
        part, single = self._parts[term], size.astype(SINGLE)
        self._mean[:, part.blocks] += (single - self._sizes[:, term])[:, None] * part.mass
        self._sizes[:, term] = single


def _part(terms: Terms, term: int, joins: Floats, frailty: Floats) -> _Part:
    own, first = terms.mass[term], int(terms.first[term])
    opens, closes = first // BLOCKS_A_DAY, -(-(first + own.size) // BLOCKS_A_DAY)
    blocks = slice(opens * BLOCKS_A_DAY, closes * BLOCKS_A_DAY)
    mass = np.zeros(blocks.stop - blocks.start, dtype=SINGLE)
    mass[first - blocks.start : first - blocks.start + own.size] = own
    inside = joins[blocks]
    seen = np.flatnonzero((inside > 0) & (mass > 0))
    days = inside.reshape(-1, BLOCKS_A_DAY).sum(1)
    return _Part(
        blocks,
        mass,
        seen,
        mass[seen],
        inside[seen].astype(SINGLE),
        mass.reshape(-1, BLOCKS_A_DAY).sum(1),
        frailty[opens:closes].astype(SINGLE),
        (frailty[opens:closes] + days).astype(SINGLE),
    )
