"""How long after its cause a join comes: laws of delay, as the mass of every hour from the cause's own hour on.

Each but the power law has unit mass over an endless horizon; the power law is cut at its reach, and whole within it.
The estimator in metrics fits exponential decays; the other laws are what it does not expect.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Delay(Protocol):
    """A law of delay."""

    def mass(self, hours: int) -> Floats:
        """Share of the joins in each of the first `hours` hours; shape (hours,), none negative, sum at most 1."""
        ...


@dataclass(frozen=True)
class Exponential:
    """Most at once, then ever fewer; `mean_h` on average."""

    mean_h: float

    def mass(self, hours: int) -> Floats:
        return np.asarray(np.exp(-np.arange(hours) / self.mean_h) * -np.expm1(-1 / self.mean_h))


@dataclass(frozen=True)
class Square:
    """The same in each of `hours_on` hours, then nothing."""

    hours_on: int

    def mass(self, hours: int) -> Floats:
        return np.where(np.arange(hours) < self.hours_on, 1 / self.hours_on, 0.0)


@dataclass(frozen=True)
class PowerLaw:
    """(1 + t / scale_h) ** -exponent, a burst with a long tail (Crane and Sornette 2008), cut after `reach_h`."""

    exponent: float = 1.5
    scale_h: float = 6.0
    reach_h: int = 1008

    def mass(self, hours: int) -> Floats:
        weight = (1 + np.arange(max(hours, self.reach_h)) / self.scale_h) ** -self.exponent
        weight[self.reach_h :] = 0.0
        return np.asarray((weight / weight.sum())[:hours])


@dataclass(frozen=True)
class Delayed:
    """Nothing for `by_h` hours (a magazine on its way), then as `law`."""

    by_h: int
    law: Delay

    def mass(self, hours: int) -> Floats:
        found = np.zeros(hours)
        found[self.by_h :] = self.law.mass(max(hours - self.by_h, 0))[: max(hours - self.by_h, 0)]
        return found
