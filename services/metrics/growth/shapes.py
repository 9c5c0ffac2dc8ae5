"""The shape of each publication's effect, where joins tell it: of a library, the one that fits best.

A kernel is a prior. In a large stream it is wrong for certain: an effect that lasts for three days and stops fits no
decay, and what a wrong shape leaves over would go to nobody, or to surges that nobody listed. So a publication with a
plain effect gets the shape that explains its blocks best given all the others, or several, each as likely as it is.
The effect must be plain before a surge without a publication may begin (`terms.PUBLISHED`); no shape begins later
than that, either. Publications less than a day apart keep the shapes of their kinds: what each of them did is not
told apart, and the first would take what the others brought.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from services.metrics.growth.calendar import sums
from services.metrics.growth.credit import Evidence
from services.metrics.growth.kernels import REACH_H, decay, with_referrals
from services.metrics.growth.least_squares import Weights
from services.metrics.growth.model import Floats
from services.metrics.growth.stream import BLOCKS_A_DAY, Stream
from services.metrics.growth.terms import PAIR_H, PUBLISHED

PLAIN, AT_ONCE = 12.0, 4.0  # log likelihood of an effect whose shape is asked; of its beginning
USUAL = 0.5  # prior probability that it is the kind's own
MEANS_H = (3.0, 4.5, 6.0, 9.0, 12.0, 17.0, 24.0, 34.0, 48.0, 68.0, 96.0, 136.0)
LATE_H = (4, 8, 12, 16, 20, 24)
LASTING_H = (12, 24, 36, 48, 60, 72, 84, 96, 108, 120)
POWERS, SCALES_H = (1.3, 1.6, 2.0), (2.0, 5.0, 12.0)


@cache
def library() -> Floats:
    """Shapes x `REACH_H`: mass per hour."""
    return np.array([with_referrals(direct) for direct in _direct()])


def _direct() -> Iterator[Floats]:
    hour = np.arange(REACH_H)
    for mean_h in MEANS_H:
        at_once = decay(mean_h)
        yield at_once
        for late_h in LATE_H:
            yield np.concatenate([np.zeros(late_h), at_once[:-late_h]])
    for lasting_h in LASTING_H:
        yield np.where(hour < lasting_h, 1 / lasting_h, 0.0)
    for power in POWERS:
        for scale_h in SCALES_H:
            weight = (1 + hour / scale_h) ** -power
            yield weight / weight.sum()


def reshaped(
    stream: Stream,
    usual: Floats,
    shape: Floats,
    sizes: Floats,
    given: Evidence,
    rng: np.random.Generator | None = None,
) -> Stream:
    """The stream with the most likely shapes, the largest effect's first; with `rng`, with shapes drawn as likely. The
    very same stream where they are those that it has.

    `usual`: mass of each publication's kind, publications x `REACH_H`. `shape`: of a usual week, per hour. `sizes`: as
    fitted with the stream's present shapes.
    """
    hour, which, mass = stream.unit_effects(shape)
    left = given.surplus - stream.by_block(sums(hour, mass * sizes[which], stream.counts.size))
    gap = np.diff(stream.at, prepend=-np.inf, append=np.inf)
    alone = (gap[:-1] >= PAIR_H) & (gap[1:] >= PAIR_H) & (stream.at + REACH_H > 0) & (stream.at < stream.counts.size)
    chosen, known = usual.copy(), library()
    prior = np.log(np.append(USUAL, np.full(len(known), (1 - USUAL) / len(known))))
    for i in np.argsort(-sizes, kind="stable").tolist():
        if not alone[i]:
            continue
        masses = np.vstack([usual[i], known])
        near, now, early, candidates = _laid_out(stream, i, masses, shape)
        days = given.weights.days(near.start // BLOCKS_A_DAY, near.stop // BLOCKS_A_DAY)
        own = left[near] + sizes[i] * now
        at_once, _ = _fitted(candidates * early, own, days)
        gain, size = _fitted(candidates, own, days)
        if at_once.max() < AT_ONCE or gain.max() < PLAIN:
            continue
        gain += prior
        if rng is not None:
            gain += rng.gumbel(size=gain.size)
        taken = int(np.argmax(gain))
        chosen[i] = masses[taken]
        left[near] = own - size[taken] * candidates[taken]
    return stream if np.array_equal(chosen, stream.mass) else replace(stream, mass=chosen)


def _laid_out(stream: Stream, i: int, masses: Floats, shape: Floats) -> tuple[slice, Floats, Floats, Floats]:
    """The blocks of the days that a publication may reach, and in them: its present mass, 1 where it has to begin, and
    `masses`."""
    at = int(stream.at[i])
    first, last = max(at, 0), min(at + REACH_H, stream.counts.size)
    block = stream.block[first:last]
    opens = int(block[0]) // BLOCKS_A_DAY * BLOCKS_A_DAY
    closes = (int(block[-1]) // BLOCKS_A_DAY + 1) * BLOCKS_A_DAY
    begins = np.flatnonzero(np.diff(block, prepend=-1))
    hourly = np.vstack([stream.mass[i], masses])[:, first - at : last - at] * shape[first:last]
    laid = np.zeros((len(hourly), closes - opens))
    laid[:, block[begins] - opens] = np.add.reduceat(hourly, begins, axis=1)
    early = np.arange(opens, closes) < block[0] + PUBLISHED.stop
    return slice(opens, closes), laid[0], early.astype(np.float64), laid[1:]


def _fitted(candidates: Floats, surplus: Floats, weights: Weights) -> tuple[Floats, Floats]:
    """For each candidate alone: what it gains in log likelihood, and its size, 0 or positive."""
    weighted = weights.applied(candidates)
    pull, curve = np.maximum(weighted @ surplus, 0.0), np.maximum((weighted * candidates).sum(1), 1e-12)
    return pull**2 / (2 * curve), pull / curve
