"""Quick claims: that a publication brings so many joins within its first hours as chance hardly ever does.

A small stake is put on each of the first `CLAIMED_H` hours: "by its end, at least k joins came", k being the least
number that has a chance of at most `HARDLY_EVER` without an effect. It pays stake / chance if it comes true, nothing
otherwise, so that under the null its expectation is at most the stake: an e-value (Shafer 2021, "Testing by betting"),
which is added to the likelihood ratio for what the stakes leave. Until its hour is over it counts as lost, which errs
on the safe side. A likelihood ratio must put a quarter of its prior on large effects to cross within three hours; this
costs an eighth of all evidence and pays just what is needed (ADR 0014).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from services.metrics.growth.model import Floats

CLAIMED_H = 3
STAKE = 0.04  # on each hour
LEFT = 1 - CLAIMED_H * STAKE  # for all other evidence
HARDLY_EVER = 0.0015
PAYS = 100.0  # at most: what an alarm needs
ASKED = np.arange(
    4.0, 25.0
)  # joins: fewer may have come together, and where more are needed the likelihood ratio is as quick


@dataclass
class Claims:
    """Of W windows, one value each."""

    expecting: Floats  # joins per base, from what the first day's hours before the window brought
    scatter: Floats  # variance of the base, relative
    surging: Floats  # chance that a surge that no publication explains goes on or has begun so far
    surges: Floats  # chance that one begins within an hour
    joins: Floats  # since publication
    base: Floats
    paid: Floats  # by claims that came true

    @classmethod
    def start(cls, expecting: Floats, scatter: Floats) -> "Claims":
        surging, surges, joins, base, paid = np.zeros((5, len(expecting)))
        return cls(expecting, scatter, surging, surges, joins, base, paid)

    def tick(self, joins: Floats, base: Floats, others: Floats | None) -> None:
        """One of the first `CLAIMED_H` hours: joins, their base, and the chance of a surge by another publication."""
        self.joins = self.joins + joins
        self.base = self.base + base * self.expecting
        self.surging = self.surging + self.surges + (0.0 if others is None else others)
        odds = (self.base * self.scatter)[:, None]
        chance = betainc(ASKED, 1 / self.scatter[:, None], odds / (1 + odds)) + self.surging[:, None]
        likely = (chance > HARDLY_EVER).sum(1)
        least = np.minimum(likely, ASKED.size - 1)
        true = (likely < ASKED.size) & (self.joins >= ASKED[least])
        pays = np.minimum(STAKE / chance[np.arange(len(least)), least], PAYS)
        self.paid = self.paid + np.where(true, pays, 0.0)
