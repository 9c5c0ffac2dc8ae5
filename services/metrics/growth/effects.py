"""The effects that the evidence looks for, by kind of publication: how large, how long, how late, with weights.

The broad prior was weighed on simulated streams of 7 joins a day (seeds other than the benchmark's): as much power as
can be had for +100 % over three days while +500 % is still found within three hours. An effect theta times the base
fades as e^(-t / tau), so that small effects are looked for where they last and large ones where they are quick: a small
one that fades within hours could not be seen, a large one that lasts is plain whatever its weight.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from services.metrics.growth.model import WINDOW_H, Floats


@dataclass(frozen=True)
class Prior:
    """Effects that are looked for: arrays of one length, and their weights (sum 1)."""

    theta: Floats
    tau_h: Floats
    onset_h: Floats
    weight: Floats

    def profile(self) -> Floats:
        """Relative effect of every watched hour: hours x effects."""
        after = np.arange(WINDOW_H)[:, None] - self.onset_h
        return np.where(after >= 0, self.theta * np.exp(-np.maximum(after, 0) / self.tau_h), 0.0)


Weights = dict[float, float]
AT_ONCE: dict[tuple[float, float], float] = {  # theta, tau
    (0.3, 200.0): 0.02,
    (0.6, 200.0): 0.07,
    (1.2, 200.0): 0.44,
    (1.6, 120.0): 0.08,
    (1.6, 200.0): 0.135,
    (2.2, 60.0): 0.03,
    (4.5, 12.0): 0.02,
    (4.5, 30.0): 0.08,
    (4.5, 60.0): 0.055,
    (4.5, 200.0): 0.04,
    (10.0, 12.0): 0.01,
    (10.0, 60.0): 0.01,
    (25.0, 12.0): 0.005,
    (25.0, 60.0): 0.005,
}
LATE = {(1.0, 200.0): 0.2, (2.0, 60.0): 0.35, (3.0, 30.0): 0.3, (5.0, 12.0): 0.1, (5.0, 60.0): 0.05}
ONSETS = {0.0: 0.92, 24.0: 0.03, 36.0: 0.025, 48.0: 0.025}
OF_KIND: dict[str, tuple[Weights, Weights]] = {
    "magazine_issue": ({0.6: 0.25, 1.0: 0.25, 1.7: 0.25, 3.0: 0.25}, {40.0: 0.5, 100.0: 0.5}),
    "broadcast": ({1.0: 0.25, 2.5: 0.25, 6.0: 0.25, 15.0: 0.25}, {6.0: 0.34, 16.0: 0.33, 40.0: 0.33}),
}


Cells = list[tuple[float, float, float, float]]  # theta, tau, onset, weight


def prior_of(kind: str) -> Prior:
    """The prior of a kind, mixed half and half with the broad one; the broad one alone for kinds without their own.

    Kinds of one prior get the same object, so that they can be looked at together.
    """
    return _prior_of(kind if kind in OF_KIND else None)


@cache
def _prior_of(kind: str | None) -> Prior:
    broad = [
        (theta, tau, onset, at_onset * weight)
        for onset, at_onset in ONSETS.items()
        for (theta, tau), weight in (LATE if onset else AT_ONCE).items()
    ]
    if kind is None:
        return _prior(broad)
    return _prior([*_own(kind), *broad])  # each adds up to 1


def _own(kind: str) -> Cells:
    thetas, taus = OF_KIND[kind]
    return [
        (theta, tau, onset, at_onset * at_theta * at_tau)
        for onset, at_onset in ONSETS.items()
        for theta, at_theta in thetas.items()
        for tau, at_tau in taus.items()
    ]


def _prior(cells: Cells) -> Prior:
    theta, tau, onset, weight = (np.array(column) for column in zip(*cells, strict=True))
    return Prior(theta, tau, onset, weight / weight.sum())
