"""Surges that no publication explains, as part of the null, and a publication's effect that is like one.

A surge begins in any hour with a small chance, lasts whole days more with chance `LASTS`, and has a size of its own on
every day (negative binomial with a frailty below 1). Where such surges occur, what speaks for a publication is that
one begins right after it: within the first hours, rather than in any other hour. Two hidden Markov chains over days,
forward probabilities only (Rabiner 1989): one for the null, one that begins with the publication.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from services.metrics.growth.model import Floats, Indices

SIZES = {5.0: 0.7, 60.0: 0.3}  # mean of a surge's day, in bases: chances
FRAILTY = 0.7  # how much days of surges scatter
LASTS = 0.7
DAY_H, STEP_H = 24, 2  # a surge begins at every second hour, which is near enough
STEPS = DAY_H // STEP_H
BEGINS = (0.5, 0.3, 0.2)  # after a publication: within its first two hours, the next two ...
LOG_SIZES = [(size, float(np.log(size)), float(np.log(weight))) for size, weight in SIZES.items()]
LOG_FRAILTY, LOG_GAMMA = float(np.log(FRAILTY)), float(gammaln(FRAILTY))
NEVER = -1e30


@dataclass
class Surges:
    """Log probabilities (W windows x L nodes of the level's error), with the joins of finished days.

    The `*_at` are of the current day, at every second hour: what was before a surge that began there; in the last
    column nothing was, for a surge that goes on from the day before.
    """

    log_rate: Floats  # W: that a surge begins, per step of two hours
    calm: Floats
    surging: Floats
    waiting: Floats  # the publication's effect is still to begin
    calm_after: Floats  # it began and is over
    acting: Floats
    joins: Floats  # W, of the current day
    base: Floats  # W x L
    log_carried: Floats  # W x L: ln of the factor on the base in the current day
    day: Floats  # W x L: log f of the current day without a surge
    joins_at: Floats  # W x steps
    base_at: Floats  # W x L x steps
    day_at: Floats  # W x L x steps
    open_at: Floats  # W x steps: log rate of a beginning there
    published_at: Floats  # W x steps: log weight of the publication's effect beginning there
    pending: float  # share of the publication's effect that is still to begin

    @classmethod
    def start(
        cls, rate: Floats, surging: Floats, joins: Floats, base: Floats, log_carried: Floats, day: Floats
    ) -> "Surges":
        """`rate` per day; `surging`: whether yesterday was one; the others: of the first day so far, as in `tick`."""
        windows, nodes = base.shape
        on = np.where(surging > 0, LASTS, 0.5 * rate)[:, None]
        empty = np.full((windows, nodes), NEVER)
        return cls(
            log_rate=np.log(rate / STEPS),
            calm=np.log1p(-on) - day,
            surging=np.log(on) - _surge(joins[:, None], base, log_carried),
            waiting=-day,
            calm_after=empty.copy(),
            acting=empty.copy(),
            joins=joins.copy(),
            base=base.copy(),
            log_carried=log_carried.copy(),
            day=day.copy(),
            joins_at=np.zeros((windows, STEPS + 1)),
            base_at=np.zeros((windows, nodes, STEPS + 1)),
            day_at=np.zeros((windows, nodes, STEPS + 1)),
            open_at=np.full((windows, STEPS + 1), NEVER),
            published_at=np.full((windows, STEPS + 1), NEVER),
            pending=1.0,
        )

    def tick(self, hour: int, joins: Floats, base: Floats, log_carried: Floats, day: Floats) -> None:
        """An hour went by: its joins (W), the day's base so far, ln of the factor in it, and log f of the day so far
        without a surge (W x L)."""
        if hour % STEP_H == 0:
            self._may_begin(hour // STEP_H)
        self.joins, self.base, self.day = self.joins + joins, base.copy(), day.copy()
        self.log_carried = log_carried.copy()

    def _may_begin(self, step: int) -> None:
        column = step % STEPS
        self.joins_at[:, column], self.base_at[:, :, column], self.day_at[:, :, column] = (
            self.joins,
            self.base,
            self.day,
        )
        self.open_at[:, column] = self.log_rate
        begins = BEGINS[step] if step < len(BEGINS) else 0.0
        self.published_at[:, column] = np.log(begins) if begins else NEVER
        self.pending = max(self.pending - begins, 1e-12)

    def now(self) -> tuple[Floats, Floats]:
        """Log probabilities of the joins so far, W x L: when the publication does nothing, and when what it does is
        like a surge."""
        every = slice(None)
        since = self._since(every)
        whole = since[:, :, -1]
        null = _add(self.calm + self.day, self.calm + _over(self.open_at, since), self.surging + whole)
        parts = [self.waiting + np.log(self.pending) + self.day, self.calm_after + self.day, self.acting + whole]
        if (self.published_at > NEVER).any():
            parts.append(self.waiting + _over(self.published_at, since))
        return null, _add(*parts)

    def end_day(self, which: Indices, day: Floats) -> None:
        """A day is over for these windows; `day`: its log f without a surge."""
        since = self._since(which)
        whole = since[:, :, -1]
        acting = _add(self.acting[which] + whole, self.waiting[which] + _over(self.published_at[which], since))
        on = _add(self.surging[which] + whole, self.calm[which] + _over(self.open_at[which], since))
        off = self.calm[which] + day + np.log1p(-STEPS * np.exp(self.log_rate[which]))[:, None]
        self.calm[which], self.surging[which] = _add(off, on + np.log(1 - LASTS)), on + np.log(LASTS)
        self.calm_after[which] = _add(self.calm_after[which] + day, acting + np.log(1 - LASTS))
        self.acting[which], self.waiting[which] = acting + np.log(LASTS), self.waiting[which] + day
        self.joins[which], self.base[which], self.day[which] = 0.0, 0.0, 0.0
        self.open_at[which], self.published_at[which] = NEVER, NEVER

    def _since(self, which: Indices | slice) -> Floats:
        """Log probability of the day so far if a surge began at each of its steps: W x L x steps."""
        joins = (self.joins[which, None] - self.joins_at[which])[:, None, :]
        base = self.base[which, :, None] - self.base_at[which]
        return self.day_at[which] + _surge(joins, base, self.log_carried[which, :, None])


def _over(at: Floats, since: Floats) -> Floats:
    """The sum over the steps at which a surge may have begun: W x L."""
    log = at[:, None, :] + since
    top = log.max(2)
    return np.asarray(top + np.log(np.exp(log - top[:, :, None]).sum(2)))


def _surge(joins: Floats, base: Floats, log_carried: Floats) -> Floats:
    """log f of hours within a surge, up to the same term as log f without one: a mixture over sizes."""
    shape = gammaln(FRAILTY + joins) + joins * (log_carried - LOG_FRAILTY) - LOG_GAMMA
    mean = np.maximum(base, 0.0) / FRAILTY
    at_least = FRAILTY + joins
    sizes = [weight + joins * log_size - at_least * np.log1p(size * mean) for size, log_size, weight in LOG_SIZES]
    return np.asarray(shape + _add(*sizes))


def _add(*logs: Floats) -> Floats:
    total = logs[0]
    for log in logs[1:]:
        total = np.logaddexp(total, log)
    return np.asarray(total)
