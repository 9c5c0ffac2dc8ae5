"""How high the level is, told apart from surges: a hidden Markov chain over days on a grid of levels.

A day is calm, with a mixture of negative binomials around the level, or one of a surge, whose multiple of the level is
Pareto. The level hardly moves, or leaps, up or down alike. So high days are a surge until they have lasted longer than
surges do, and the first days as low as those before show that they were one. Several processes, each as likely as it
foretold the days (Harrison and Stevens 1976), by forward probabilities alone (Rabiner 1989).
"""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.model import Floats
from services.metrics.growth.negative_binomial import log_mass

STEP = 0.15  # of the grid, in ln of the level
GRID = np.arange(-4.0, 14.0, STEP)  # ln of joins a day: one in 55 days to a million a day
CALM = {25.0: 0.65, 5.0: 0.35}  # frailty of a calm day: chances; streams differ, and a low day is no proof
FRAILTY = 2.0  # of a surge's day
PARETO = 0.7  # exponent of a surge's multiple of the level: a multiple of 10 is no rarity
BEGINS, LASTS = 0.02, 0.85  # a day; a surge fades for about a week
BORN = 0.5  # chance that a stream begins in a surge: launches are loud
LEAPS, LEAP = 1 / 200, 1.0  # a day; by how much, in ln
WANDERS = 0.015  # standard deviation of ln of the level, a day

STATES = np.array([[1 - BEGINS, 1 - LASTS], [BEGINS, LASTS]])  # calm, surge: from columns to rows


@dataclass(frozen=True)
class Regime:
    """`log_level` (joins a day) and its `variance`: days + 1 values, known at the start of each day.

    `surge`: chance that a day was one of a surge, known at its end."""

    log_level: Floats
    variance: Floats
    surge: Floats


def regime(joins: Floats, exposure: Floats) -> Regime:
    """`joins` and `exposure` (24 of a usual day) by day."""
    days = len(joins)
    seen = _likelihood(joins, exposure)
    log_level, variance, surge = np.empty(days + 1), np.empty(days + 1), np.empty(days)
    state = np.tile(np.array([1 - BORN, BORN]) / len(GRID), (len(GRID), 1))
    for day in range(days + 1):
        chance = state.sum(1)
        log_level[day] = chance @ GRID
        variance[day] = chance @ (GRID - log_level[day]) ** 2
        if day < days:
            state = state * seen[day]
            state /= state.sum()
            surge[day] = state[:, 1].sum()
            state = _MOVES @ state @ STATES.T
    return Regime(log_level, variance, surge)


def _likelihood(joins: Floats, exposure: Floats) -> Floats:
    """Of every day, up to a factor of each: days x grid x (calm, surge)."""
    mean, n = np.exp(GRID) * np.maximum(exposure / 24, 1e-3)[:, None], joins[:, None]
    known = n * np.log(mean)
    wide = log_mass(FRAILTY, n, mean) + known
    top = wide.max(1, keepdims=True)
    calm = sum((w * np.exp(log_mass(k, n, mean) + known - top) for k, w in CALM.items()), np.zeros(mean.shape))
    return np.stack((np.maximum(calm, 1e-300), np.exp(wide - top) @ _HIGHER.T), axis=2)


def _higher() -> Floats:
    """From the level (rows) to the mean of a surge's day (columns)."""
    up = GRID - GRID[:, None]
    return np.asarray(np.where(up >= STEP / 2, np.exp(-PARETO * np.abs(up)), 0.0) * (np.exp(PARETO * STEP) - 1))


def _moves() -> Floats:
    """From yesterday's level (columns) to today's (rows)."""
    size = len(GRID)
    aside = (WANDERS / STEP) ** 2 / 2
    near = (1 - 2 * aside) * np.eye(size) + aside * (np.eye(size, k=1) + np.eye(size, k=-1))
    far = np.exp(-np.abs(GRID - GRID[:, None]) / LEAP)
    return np.asarray((1 - LEAPS) * near + LEAPS * far / far.sum(0))


_HIGHER, _MOVES = _higher(), _moves()
