"""A Gibbs sampler over the sizes of all terms jointly: spike and slab, several chains side by side.

One term after the other is drawn given the others, on a grid of sizes that is shifted at random each time (griddy
Gibbs: Ritter and Tanner 1992) and holds "nothing" as a point of its own, so spike and slab are drawn in one step.
Neighbours less than a day apart are also drawn as a pair, how they share their sum: one after the other they would be
stuck, as what one leaves the other has.

What joins say comes from one of two likelihoods: `CountLikelihood` for small streams (negative binomial by the day,
multinomial within it), `NormalLikelihood` for large ones. The seed is made of what is sampled.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth.least_squares import Equations
from services.metrics.growth.model import Floats, Indices
from services.metrics.growth.prior import Prior
from services.metrics.growth.stream import BLOCKS_A_DAY
from services.metrics.growth.terms import LEVEL, Terms

POINTS = 14
SINGLE = np.float32
Singles = NDArray[np.float32]
TINY = SINGLE(1e-6)


class Likelihood(Protocol):
    """What joins say of one term's size, the sizes of all others as they are (in every chain)."""

    def log(self, term: int, sizes: Floats) -> Floats:
        """Log likelihood of sizes, chains x points, up to a constant per chain."""

    def log_pair(self, first: int, second: int, sizes: Floats, others: Floats) -> Floats:
        """The same of two terms, which have `sizes` and `others`."""

    def put(self, term: int, size: Floats) -> None:
        """Let a term have these sizes from now on (one a chain)."""


@dataclass(frozen=True)
class Ranges:
    """Of each term: the sizes that are looked at. Those of a level may be negative."""

    low: Floats
    high: Floats


def rng_of(at: Indices) -> np.random.Generator:
    """A generator that depends on nothing but the hours of what is sampled.

    Not on the joins: so a ledger differs from yesterday's by what became known, not by luck.
    """
    digest = blake2b(np.ascontiguousarray(at, dtype="<i8").tobytes(), digest_size=8)
    return np.random.default_rng(int.from_bytes(digest.digest(), "big"))


def sweep(likelihood: Likelihood, prior: Prior, terms: Terms, ranges: Ranges, sizes: Floats) -> None:
    """Draw every term once, in a random order, then what is common to them. Writes into `sizes`, chains x terms."""
    rng = prior.rng
    grid = np.zeros((len(sizes), POINTS + 1))
    for term in rng.permutation(len(terms)).tolist():
        step = (ranges.high[term] - ranges.low[term]) / POINTS
        grid[:, 1:] = ranges.low[term] + step * (np.arange(POINTS) + rng.random((len(sizes), 1)))
        unit = 1.0 if terms.role[term] == LEVEL else terms.daily[term]
        slab, spike = prior.log_density(int(terms.role[term]), grid[:, 1:] / unit)
        log = likelihood.log(term, grid)
        log[:, 1:] += slab + np.log(step / unit)
        log[:, 0] += spike
        size = _chosen(grid, log, rng)
        likelihood.put(term, size)
        sizes[:, term] = size
    for first, second in terms.pairs:
        _share(likelihood, prior, terms, first, second, sizes)
    prior.learn(terms.role, sizes / terms.daily)


def _share(likelihood: Likelihood, prior: Prior, terms: Terms, first: int, second: int, sizes: Floats) -> None:
    """Draw how two publications share the sum of their sizes: all to one of them, or any split."""
    rng, inner = prior.rng, POINTS - 1
    total = (sizes[:, first] + sizes[:, second])[:, None]
    part = np.zeros((len(sizes), POINTS + 1))
    part[:, 1:-1] = (np.arange(inner) + rng.random((len(sizes), 1))) / inner
    part[:, -1] = 1.0
    mine, others = total * part, total * (1 - part)
    slab, spike = prior.log_density(int(terms.role[first]), mine / terms.daily[first])
    slab_other, spike_other = prior.log_density(int(terms.role[second]), others / terms.daily[second])
    log = likelihood.log_pair(first, second, mine, others)
    width = np.maximum(total, TINY) / inner / terms.daily[second]
    log[:, 1:-1] += slab[:, 1:-1] + slab_other[:, 1:-1] + np.log(width)
    log[:, 0] += spike + slab_other[:, 0] + np.log(terms.daily[first] / terms.daily[second])
    log[:, -1] += slab[:, -1] + spike_other
    size = _chosen(mine, log, rng)
    for term, own in ((first, size), (second, total[:, 0] - size)):
        likelihood.put(term, own)
        sizes[:, term] = own


def _chosen(grid: Floats, log: Floats, rng: np.random.Generator) -> Floats:
    """One point of each chain's grid, by its log weight."""
    weight = np.cumsum(np.exp(log - log.max(1, keepdims=True)), axis=1)
    point = (weight < (rng.random(len(grid)) * weight[:, -1])[:, None]).sum(1)
    return np.asarray(grid[np.arange(len(grid)), np.minimum(point, grid.shape[1] - 1)])


class NormalLikelihood:
    """Least squares: quadratic in the sizes."""

    def __init__(self, equations: Equations, sizes: Floats) -> None:
        self._gram, self._sizes = equations.gram, sizes.copy()
        self._left = equations.right - sizes @ equations.gram

    def log(self, term: int, sizes: Floats) -> Floats:
        curve = self._gram[term, term]
        pull = self._left[:, term] + curve * self._sizes[:, term]
        return np.asarray(sizes * (pull[:, None] - 0.5 * curve * sizes))

    def log_pair(self, first: int, second: int, sizes: Floats, others: Floats) -> Floats:
        gram, own, beside = self._gram, self._sizes[:, first], self._sizes[:, second]
        pull = self._left[:, first] + gram[first, first] * own + gram[first, second] * beside
        push = self._left[:, second] + gram[second, second] * beside + gram[first, second] * own
        log = sizes * (pull[:, None] - 0.5 * gram[first, first] * sizes)
        log += others * (push[:, None] - 0.5 * gram[second, second] * others)
        return np.asarray(log - gram[first, second] * sizes * others)

    def put(self, term: int, size: Floats) -> None:
        self._left -= (size - self._sizes[:, term])[:, None] * self._gram[term]
        self._sizes[:, term] = size


@dataclass(frozen=True)
class _Given:
    terms: Terms
    joins: Floats
    frailty: Floats


@dataclass(frozen=True)
class _Part:
    """A term where it lies: its blocks (whole days), those of them that had joins, its days."""

    blocks: slice
    mass: Singles
    seen: Indices  # blocks with joins, within `blocks`
    seen_mass: Singles
    seen_joins: Singles
    day_mass: Singles
    day_frailty: Singles
    day_weight: Singles  # frailty + joins


class CountLikelihood:
    """Negative binomial by the day, multinomial within it: `sum n log m - (k + n_day) log(k + m_day)`.

    In single precision: a likelihood is needed to three digits.
    """

    def __init__(self, terms: Terms, joins: Floats, base: Floats, frailty: Floats, sizes: Floats) -> None:
        self._given = _Given(terms, joins, frailty)
        self._parts = [_part(self._given, term) for term in range(len(terms))]
        self._pairs: dict[tuple[int, int], tuple[_Part, _Part, _Part]] = {}
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
        return _logged(mean, total, part)

    def log_pair(self, first: int, second: int, sizes: Floats, others: Floats) -> Floats:
        key = (first, second)
        if key not in self._pairs:
            self._pairs[key] = self._pair(*key)
        whole, part, beside = self._pairs[key]
        taken = self._sizes[:, first, None] * part.mass + self._sizes[:, second, None] * beside.mass
        rest = np.maximum(self._mean[:, whole.blocks] - taken, TINY)
        grid, other = sizes.astype(SINGLE)[:, :, None], others.astype(SINGLE)[:, :, None]
        mean = rest[:, whole.seen][:, None, :] + grid * part.mass[whole.seen] + other * beside.mass[whole.seen]
        days = rest.reshape(len(rest), -1, BLOCKS_A_DAY).sum(2) + whole.day_frailty
        return _logged(mean, days[:, None, :] + grid * part.day_mass + other * beside.day_mass, whole)

    def _pair(self, first: int, second: int) -> "tuple[_Part, _Part, _Part]":
        """Both terms over the days of either, and the two as one."""
        own, beside = self._parts[first].blocks, self._parts[second].blocks
        blocks = slice(min(own.start, beside.start), max(own.stop, beside.stop))
        part, other = (_part(self._given, term, blocks) for term in (first, second))
        whole = _laid(self._given, part.mass + other.mass, blocks)
        return whole, part, other

    def put(self, term: int, size: Floats) -> None:
        part, single = self._parts[term], size.astype(SINGLE)
        self._mean[:, part.blocks] += (single - self._sizes[:, term])[:, None] * part.mass
        self._sizes[:, term] = single


def _logged(mean: Singles, total: Singles, part: _Part) -> Floats:
    with np.errstate(invalid="ignore"):  # some BLAS raise this flag for what lies behind the end of a row
        log = np.log(np.maximum(mean, TINY, out=mean), out=mean) @ part.seen_joins
        log -= np.log(np.maximum(total, TINY, out=total), out=total) @ part.day_weight
    return np.asarray(log, dtype=np.float64)


def _part(given: _Given, term: int, blocks: slice | None = None) -> _Part:
    own, first = given.terms.mass[term], int(given.terms.first[term])
    if blocks is None:
        opens, closes = first // BLOCKS_A_DAY, -(-(first + own.size) // BLOCKS_A_DAY)
        blocks = slice(opens * BLOCKS_A_DAY, closes * BLOCKS_A_DAY)
    mass = np.zeros(blocks.stop - blocks.start, dtype=SINGLE)
    mass[first - blocks.start : first - blocks.start + own.size] = own
    return _laid(given, mass, blocks)


def _laid(given: _Given, mass: Singles, blocks: slice) -> _Part:
    inside = given.joins[blocks]
    seen = np.flatnonzero((inside > 0) & (mass > 0))
    frailty = given.frailty[blocks.start // BLOCKS_A_DAY : blocks.stop // BLOCKS_A_DAY]
    return _Part(
        blocks,
        mass,
        seen,
        mass[seen],
        inside[seen].astype(SINGLE),
        mass.reshape(-1, BLOCKS_A_DAY).sum(1),
        frailty.astype(SINGLE),
        (frailty + inside.reshape(-1, BLOCKS_A_DAY).sum(1)).astype(SINGLE),
    )
