"""What is believed of sizes before the joins are looked at, and learnt over all publications of a stream.

A publication brings nobody (spike) or a lognormal number of days' joins (slab); the share of those that bring
somebody, and the median size of each kind, are learnt from the stream itself and shrunk to common values. The share
of real ones among plain surges is learnt too. A level's error is normal (Mitchell and Beauchamp 1988, spike and slab;
Gelman and Hill 2007, partial pooling).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth.model import Floats, Indices
from services.metrics.growth.terms import LEVEL, LEVEL_SD, SURGE

ACTIVE = (6.0, 4.0)  # beta prior of the share of publications that bring somebody
REAL = (0.5, 30.0)  # beta prior of the share of plain surges that are events of their own
MEDIAN_DAYS, MEDIAN_SD, KIND_SD, SIZE_SD = 3.0, 0.7, 0.6, 0.8  # of log sizes
SURGE_MEAN_DAYS = 4.0
NEVER = -1e30
HALF, NORMAL = 0.5 / SIZE_SD**2, SIZE_SD * float(np.sqrt(2 * np.pi))  # of a normal density
LEAST = 1e-6


@dataclass
class Prior:
    """Side by side in several chains: `active`, `real`: shares; `median`: log size in days, chains x kinds."""

    rng: np.random.Generator
    active: Floats
    real: Floats
    median: Floats

    @classmethod
    def start(cls, chains: int, kinds: int, rng: np.random.Generator) -> "Prior":
        return cls(
            rng,
            np.full(chains, ACTIVE[0] / sum(ACTIVE)),
            np.full(chains, REAL[0] / sum(REAL)),
            np.full((chains, max(kinds, 1)), np.log(MEDIAN_DAYS)),
        )

    def log_density(self, role: int, days: Floats) -> tuple[Floats, Floats]:
        """Of sizes in days of joins (chains x points), and of none at all (chains)."""
        if role == LEVEL:
            return -0.5 * (days / LEVEL_SD) ** 2, np.full(len(days), NEVER)
        if role == SURGE:
            slab = np.log(self.real / SURGE_MEAN_DAYS)[:, None] - days / SURGE_MEAN_DAYS
            return slab, np.log1p(-self.real)
        log_days = np.log(np.maximum(days, LEAST))
        away = log_days - self.median[:, role, None]
        slab = np.log(self.active / NORMAL)[:, None] - HALF * away * away - log_days
        return slab, np.log1p(-self.active)

    def learn(self, role: Indices, days: Floats) -> None:
        """Draw shares and medians given all sizes (chains x terms, in days of joins)."""
        there = days > 0
        surge, publication = role == SURGE, role >= 0
        self.real = self._share(REAL, there[:, surge])
        self.active = self._share(ACTIVE, there[:, publication])
        self._learn_medians(role[publication], days[:, publication], there[:, publication])

    def _share(self, prior: tuple[float, float], there: NDArray[np.bool_]) -> Floats:
        drawn = self.rng.beta(prior[0] + there.sum(1), prior[1] + (~there).sum(1))
        return np.asarray(np.clip(drawn, LEAST, 1 - LEAST))

    def _learn_medians(self, kind: Indices, days: Floats, there: NDArray[np.bool_]) -> None:
        kinds = self.median.shape[1]
        of_kind = (kind[:, None] == np.arange(kinds)).astype(np.float64)
        seen = there @ of_kind
        total = np.where(there, np.log(np.maximum(days, LEAST)), 0.0) @ of_kind
        precision = kinds / KIND_SD**2 + MEDIAN_SD**-2.0
        centre = (self.median.sum(1) / KIND_SD**2 + np.log(MEDIAN_DAYS) / MEDIAN_SD**2) / precision
        common = centre + self.rng.normal(size=centre.size) / np.sqrt(precision)
        weight = seen / SIZE_SD**2 + KIND_SD**-2.0
        mean = (total / SIZE_SD**2 + common[:, None] / KIND_SD**2) / weight
        self.median = mean + self.rng.normal(size=mean.shape) / np.sqrt(weight)
