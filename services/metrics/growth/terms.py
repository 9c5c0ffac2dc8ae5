"""What the joint fit explains joins by: publications, surges that nobody listed, and a level that was misjudged.

Every term has an unknown size and adds `size x mass` joins to its blocks. Publications and surges are 0 or positive
(spike and slab); a level is a share of the baseline over eight weeks, positive or negative.

Surges without a publication would be credited to the publications around them; so plain surges above the baseline
that begin away from every publication are offered to the fit as terms of their own.
"""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.calendar import sums
from services.metrics.growth.model import Floats, Indices
from services.metrics.growth.stream import BLOCK_H, BLOCKS_A_DAY, Stream, day_sums

LEVEL, SURGE = -2, -1  # roles; from 0 on: publications, by the number of their kind
LEVEL_DAYS, LEVEL_SD = 56, 0.15
HELD = 0.99  # of a kernel's mass: its last hundredth is left to the baseline
SURGE_MEAN_H, SURGE_DAYS = 20.0, 5
SURGE_PLAIN = 3.5  # standard deviations above the baseline
SURGE_APART = 6  # blocks around the plainest that begin no other
SURGES_MOST = 40
PUBLISHED = range(-1, 7)  # blocks around a publication: a surge that begins there is taken for its own
PAIR_H = 24


@dataclass(frozen=True)
class Terms:
    """One value each a term, publications first. `mass`: rows of blocks from `first` on, within the stream."""

    role: Indices
    first: Indices
    mass: tuple[Floats, ...]
    daily: Floats  # joins of a normal day
    pairs: tuple[tuple[int, int], ...]  # publications less than a day apart, one after the other

    def __len__(self) -> int:
        return len(self.role)


def terms(stream: Stream, shape: Floats, kinds: Indices, base: Floats, variance: Floats, joins: Floats) -> Terms:
    """`base`, `variance`, `joins`: per block. `kinds`: number of each publication's kind."""
    daily = np.maximum(day_sums(base), 0.02)
    known = [_publication(stream, shape, i) for i in range(len(stream.at))]
    near = np.zeros(base.size + 1, dtype=np.int64)
    for at, mass in known:
        near[at] += 1
        near[at + mass.size] -= 1
    touched = np.cumsum(near)[:-1] > 0
    surges = _surges(stream, stream.by_block(shape), base, variance, joins)
    surges = [(at, mass) for at, mass in surges if touched[at : at + mass.size].any()]
    span = LEVEL_DAYS * BLOCKS_A_DAY
    levels = [(at, base[at : at + span]) for at in range(0, base.size, span) if touched[at : at + span].any()]
    every = [*known, *surges, *levels]
    first = np.array([at for at, _ in every], dtype=np.int64)
    role = np.array([*kinds, *[SURGE] * len(surges), *[LEVEL] * len(levels)], dtype=np.int64)
    usual = daily[np.minimum(first // BLOCKS_A_DAY, daily.size - 1)]
    close = np.flatnonzero(np.diff(stream.at) < PAIR_H).tolist()
    pairs = tuple((i, i + 1) for i in close)
    return Terms(role, first, tuple(mass for _, mass in every), usual, pairs)


def _publication(stream: Stream, shape: Floats, i: int) -> tuple[int, Floats]:
    mass = stream.mass[i]
    reach = int(np.searchsorted(np.cumsum(mass), HELD * mass.sum())) + 1
    at = int(stream.at[i])
    first, last = max(at, 0), min(at + reach, stream.counts.size)
    if first >= last:
        return min(max(int(stream.block[min(first, stream.counts.size - 1)]), 0), stream.blocks - 1), np.zeros(1)
    block = stream.block[first:last]
    own = mass[first - at : last - at] * shape[first:last]
    return int(block[0]), sums(block - block[0], own, int(block[-1] - block[0]) + 1)


def _surges(
    stream: Stream, exposure: Floats, base: Floats, variance: Floats, joins: Floats
) -> list[tuple[int, Floats]]:
    """Onset and mass of surges that are plain above the baseline, the plainest of their neighbourhood only."""
    length = min(SURGE_DAYS * BLOCKS_A_DAY, base.size)
    decay = -np.diff(np.exp(-np.arange(length + 1) * BLOCK_H / SURGE_MEAN_H))
    exposure = exposure / BLOCK_H
    size = np.convolve(((joins - base) / variance * exposure)[::-1], decay)[: base.size][::-1]
    weight = np.convolve((exposure**2 / variance)[::-1], decay**2)[: base.size][::-1]
    plain = size / np.sqrt(weight + 1e-12)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(plain, SURGE_APART), 2 * SURGE_APART + 1).max(1)
    onset = np.flatnonzero((plain == around) & (plain > SURGE_PLAIN))
    own = stream.block[np.clip(stream.at, 0, stream.counts.size - 1)]
    onset = onset[~np.isin(onset, (own[:, None] + np.array(PUBLISHED)).ravel())]
    onset = np.sort(onset[np.argsort(-plain[onset], kind="stable")][:SURGES_MOST])
    return [(int(at), decay[: base.size - at] * exposure[at : at + length]) for at in onset]
