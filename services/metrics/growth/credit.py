"""Who gets the credit: sizes of all publications drawn jointly, and the joins that each draw credits to them.

The share of a publication in the joins of a block is its term over the whole; what is not anybody's is organic, so
credits and organic joins add up to what was observed. Up to `SMALL` joins a day joins are counted (`gibbs`), above it
least squares say the same and cost less: neither is right in the other's range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from services.metrics.growth import gibbs
from services.metrics.growth.least_squares import Equations, Weights, equations, fit_alone, free_fit
from services.metrics.growth.model import Floats, Indices
from services.metrics.growth.prior import Prior
from services.metrics.growth.stream import BLOCKS_A_DAY, Stream
from services.metrics.growth.terms import LEVEL, LEVEL_SD, Terms, terms

SMALL = 200.0  # joins a day
CHAINS = 16
SKETCHED, SETTLED = 3, 3  # sweeps that are thrown away: of least squares, and of counts that start from there
SWEEPS = 12
DRAWN = 1300  # terms and pairs drawn at most, all sweeps together: more publications get fewer sweeps
FEWEST = 4
WIDE = 4.5  # standard errors that are looked at
LEVELS = (-0.6, 1.5)  # shares of the baseline that it may be wrong by
LEAST_RANGE = 1e-3
FREE_DAYS = 40.0  # prior standard deviation of a free size, in days of joins: next to nothing
LOOSE_DAYS = 8.0  # the same for sums over a series, whose neighbours may be unusual but not anything
CLUSTERED = 1.4  # variance of allocated joins over that of independent ones: referrals come together

KERNEL_MISFIT = 0.1  # share of a credit: joins do not come by the kernel
LEFT_OVER = 0.5  # in large streams, of the share that the fit is off by in the blocks of an effect


@dataclass(frozen=True)
class Evidence:
    """What the fit is given, per block: joins, and the joins expected without and with all terms; k per day."""

    joins: Floats
    base: Floats
    mean: Floats
    frailty: Floats

    @property
    def variance(self) -> Floats:
        return np.asarray(self.mean + self.mean**2 / np.repeat(self.frailty, BLOCKS_A_DAY) + 0.3)

    @property
    def surplus(self) -> Floats:
        return self.joins - self.base

    @cached_property
    def weights(self) -> Weights:
        return Weights.of(self.mean, self.base, self.frailty)

    @property
    def small(self) -> bool:
        return bool(self.joins.mean() * BLOCKS_A_DAY <= SMALL)


@dataclass(frozen=True)
class Free:
    """Sizes of the publications by least squares, signed and without shrinkage, and their covariance."""

    size: Floats
    covariance: Floats


@dataclass(frozen=True)
class Draws:
    """Posterior draws x publications. `size`: joins in all, were the stream endless; `joins`: of those observed (with
    the noise of a count); `share`: the same, expected."""

    size: Floats
    share: Floats
    joins: Floats

    @classmethod
    def none(cls) -> "Draws":
        return cls(np.zeros((1, 0)), np.zeros((1, 0)), np.zeros((1, 0)))

    @classmethod
    def joined(cls, drawn: "Sequence[Draws]") -> "Draws":
        return cls(*(np.concatenate(rows) for rows in zip(*((d.size, d.share, d.joins) for d in drawn), strict=True)))


def sketch(stream: Stream, shape: Floats, kinds: Indices, given: Evidence) -> Floats:
    """Mean sizes by a few sweeps of least squares: enough to clean a level of."""
    if not len(stream.at):
        return np.zeros(0)
    found, solved = _posed(stream, shape, kinds, given)
    rng = gibbs.rng_of(stream.hours.first_hour + stream.at)
    prior, ranges, sizes = _start(found, solved, rng, CHAINS)
    likelihood = gibbs.NormalLikelihood(solved, sizes)
    kept = []
    for number in range(2 * SKETCHED):
        gibbs.sweep(likelihood, prior, found, ranges, sizes)
        if number >= SKETCHED:
            kept.append(sizes[:, : len(stream.at)].mean(0))
    return np.asarray(np.mean(kept, axis=0))


def draw(stream: Stream, shape: Floats, kinds: Indices, given: Evidence, chains: int, variant: int) -> Draws:
    """The joint posterior. `variant`: each draws by a chance of its own."""
    if not len(stream.at):
        return Draws.none()
    found, solved = _posed(stream, shape, kinds, given)
    rng = gibbs.rng_of(np.append(stream.hours.first_hour + stream.at, [variant] if variant else []))
    prior, ranges, sizes = _start(found, solved, rng, chains)
    likelihood: gibbs.Likelihood = gibbs.NormalLikelihood(solved, sizes)
    for _ in range(SKETCHED):
        gibbs.sweep(likelihood, prior, found, ranges, sizes)
    sweeps = int(np.clip(DRAWN // (len(found) + len(found.pairs)), SETTLED + FEWEST, SETTLED + SWEEPS))
    if given.small:
        likelihood = gibbs.CountLikelihood(found, given.joins, given.base, given.frailty, sizes)
    kept = []
    for number in range(sweeps):
        gibbs.sweep(likelihood, prior, found, ranges, sizes)
        if number >= SETTLED:
            kept.append(sizes.copy())
    share, joins = _credited(found, len(stream.at), np.concatenate(kept), given, rng)
    return Draws(np.concatenate(kept)[:, : len(stream.at)], share, joins)


def free(stream: Stream, shape: Floats, kinds: Indices, given: Evidence) -> Free:
    """Of all publications at once, beside surges and levels."""
    count = len(stream.at)
    if not count:
        return Free(np.zeros(0), np.zeros((0, 0)))
    found, solved = _posed(stream, shape, kinds, given)
    size, covariance = free_fit(solved, np.where(found.role == LEVEL, LEVEL_SD, LOOSE_DAYS * found.daily))
    return Free(size[:count], covariance[:count, :count])


def _posed(stream: Stream, shape: Floats, kinds: Indices, given: Evidence) -> tuple[Terms, Equations]:
    found = terms(stream, shape, kinds, given.base, given.variance, given.joins)
    return found, equations(found, given.surplus, given.weights)


def _start(
    found: Terms, solved: Equations, rng: np.random.Generator, chains: int
) -> tuple[Prior, gibbs.Ranges, Floats]:
    level = found.role == LEVEL
    spread = np.where(level, LEVEL_SD, FREE_DAYS * found.daily + 20)
    together, covariance = free_fit(solved, spread)
    error = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    alone, own = fit_alone(solved, spread)
    high = np.minimum(np.maximum(together, 0) + WIDE * error, np.maximum(alone, 0) + WIDE * own + 2)
    low = np.maximum(together - WIDE * error, 0.0)
    together = np.where(level, np.clip(together, *LEVELS), together)
    low = np.where(level, np.maximum(together - WIDE * error, LEVELS[0]), np.minimum(low, high))
    high = np.where(level, np.minimum(together + WIDE * error, LEVELS[1]), np.maximum(high, low + own))
    high = np.maximum(high, low + LEAST_RANGE)
    sizes = np.clip(together, low, high) * np.where(level, 1.0, rng.uniform(0.4, 1.0, (chains, len(found))))
    kinds = int(found.role.max()) + 1
    return Prior.start(chains, kinds, rng), gibbs.Ranges(low, high), sizes


def _credited(
    found: Terms, publications: int, sizes: Floats, given: Evidence, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The joins that each draw credits: of a block's joins, each term's share in what the draw expects."""
    dense = np.zeros((len(found), given.joins.size), dtype=np.float32)
    for row, first, mass in zip(dense, found.first, found.mass, strict=True):
        row[first : first + mass.size] = mass
    mean = np.maximum(given.base + sizes.astype(np.float32) @ dense, 1e-6)
    ratio = given.joins / mean
    square = ratio / mean
    share = np.zeros((len(sizes), publications))
    doubled, misfit = np.zeros_like(share), np.zeros_like(share)
    for i in range(publications):
        blocks, mass = slice(found.first[i], found.first[i] + found.mass[i].size), found.mass[i]
        share[:, i] = sizes[:, i] * (ratio[:, blocks] @ mass)
        doubled[:, i] = sizes[:, i] ** 2 * (square[:, blocks] @ mass**2)
        off = np.abs(ratio[:, blocks] - 1) @ mass
        misfit[:, i] = KERNEL_MISFIT * share[:, i] if given.small else LEFT_OVER * sizes[:, i] * off
    noise = np.sqrt(CLUSTERED * np.maximum(share - doubled, 0.0) + misfit**2)
    joins = np.maximum(np.rint(share + noise * rng.normal(size=share.shape)), 0.0)
    return share, np.minimum(np.where(share > 0, joins, 0.0), given.joins.sum())
