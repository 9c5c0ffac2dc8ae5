"""Publications less than a day apart, one after the other: nobody can tell their credits apart, so they get a sum."""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.model import Floats

APART_S = 24 * 3600


@dataclass(frozen=True)
class Chain:
    """Its publications, and the 90 % range of the sum of their credits."""

    members: tuple[int, ...]
    low: float
    high: float


def chains(published_s: Floats, joins: Floats) -> tuple[Chain, ...]:
    """The chain of each publication. `published_s`: seconds, rising; `joins`: posterior draws x publications."""
    number = np.concatenate(([0], np.cumsum(np.diff(published_s) >= APART_S)))
    found = []
    for which in range(int(number[-1]) + 1):
        members = np.flatnonzero(number == which)
        low, high = np.quantile(joins[:, members].sum(1), (0.05, 0.95), method="closest_observation")
        found += [Chain(tuple(members.tolist()), float(low), float(high))] * members.size
    return tuple(found)
