"""Surges that no publication explains, as part of the null, and a publication's effect that is like one.

A surge begins in any hour with a small chance, keeps its pace for up to `PACE_H` hours, then goes on at another one,
and at the end of a day goes on with chance `LASTS`, mostly slower. The joins of a pace are negative binomial, with a
mean that follows from how the last one ended, so that a new leap is a new beginning. Where such surges occur, what
speaks for a publication is that one begins soon after it, rather than in any other hour. Two hidden Markov chains,
forward probabilities only (Rabiner 1989): as ever, and with one beginning more, which is the publication's. The first
one has gone through the days before the window, so what goes on when it opens is known as well as they can tell.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from services.metrics.growth.before import LEAD_H, Before
from services.metrics.growth.model import Floats, Indices
from services.metrics.growth.negative_binomial import log_mass

PAYS, WITHIN_D = 300, 0.35  # what a beginning in time is worth, and how long it is in time, in days, if rare enough
LEAST_SHARE, MOST_SHARE = 0.02, 0.6  # of the prior that an effect is like a surge
LEAST_RATE = 1e-9
SIZES = {8.0: 0.5, 60.0: 0.35, 500.0: 0.15}  # mean of a surge's first pace, in bases: chances
FADES = {0.1: 0.3, 0.35: 0.4, 0.9: 0.3}  # mean on the next day, as a share of how the last one ended: chances
PACES = {0.5: 0.3, 1.0: 0.5, 1.8: 0.2}  # the same, of the next pace of a day
FRAILTY, NEXT_FRAILTY = 0.9, 1.5  # how much first paces and later ones scatter
UNSEEN = 20.0  # what the end of a surge is taken for as long as it has not told much, in bases
LASTS = 0.7
PACE_H = 4
ENDING_H = 8.0  # memory of how it ends
DAY_H, STEP_H = 24, 2  # a surge begins at every second hour, which is near enough
STEPS = DAY_H // STEP_H
BEGINS = np.array([0.30, 0.20, 0.12, 0.09, 0.06, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02])  # after a publication
IN_TIME, EVER = 0.9, 0.99  # chance of a beginning in time, at most; and at all
NEVER = -1e30

FIRST = PACE_H // STEP_H  # steps within a pace
NEXT = FIRST * len(SIZES)  # columns: steps x sizes, then paces that follow another one
COLUMNS = NEXT + len(FADES)
SHAPE = np.where(np.arange(COLUMNS) < NEXT, FRAILTY, NEXT_FRAILTY)
LOG_GAMMA = gammaln(SHAPE)
MEANS = np.concatenate((np.tile(list(SIZES), FIRST), np.ones(COLUMNS - NEXT))) / SHAPE
LOG_SIZE_WEIGHTS = np.log(list(SIZES.values()))
FADING, PACING = ((np.array(list(next_)), np.log(list(next_.values()))) for next_ in (FADES, PACES))
KEPT = float(np.exp(-1 / ENDING_H))


@dataclass
class Surges:
    """Log probabilities of both chains (2 x W windows, and L nodes of the level's error where no surge goes on), with
    the joins of finished days. Before the windows open there is one chain.

    Columns are ways a surge may go on now: begun at one of the last steps, or at a pace that followed another one.
    """

    opens: Indices  # W: hour of the day at which the windows open
    rate: Floats  # W: chance that a surge begins, per step of two hours
    log_begins: Floats  # W x steps: that the publication's own begins
    log_to_come: Floats  # W x steps: that it has not begun by the end of the step
    log_share: Floats  # W: of the prior that an effect is like a surge
    log_rest: Floats  # of the prior, for effects on top of a calm day, as far as the hours before the window are one
    log_weights: Floats  # L
    calm: Floats  # 2 x W x L: no surge today so far
    open: Floats  # 2 x W x columns, without the joins since its pace began
    joins_at: Floats  # W x columns: today's joins before its pace began
    base_at: Floats
    mean: Floats  # W x columns: of the surge, in bases, over its shape
    log_mean: Floats
    joins: Floats  # W: of today
    base: Floats
    ending_joins: Floats  # W: of lately
    ending_base: Floats
    total: Floats  # 2 x W x L: of all there was so far

    @classmethod
    def start(cls, before: Before) -> "Surges":
        """The chain as ever, at the end of the hours that lead to the windows."""
        windows = len(before.surge_rate)
        rate = np.maximum(before.surge_rate, LEAST_RATE)
        share = np.clip(PAYS * rate * WITHIN_D, LEAST_SHARE, MOST_SHARE)
        begins = _begins(PAYS * rate / STEPS / share)
        joins, base, ending_joins, ending_base = np.zeros((4, windows))
        started = cls(
            opens=before.opens,
            rate=rate / STEPS,
            log_begins=np.log(begins),
            log_to_come=np.log(1 - np.cumsum(begins, axis=1)),
            log_share=np.log(share),
            log_rest=np.log1p(-share),
            log_weights=np.zeros(1),
            calm=np.zeros((1, windows, 1)),
            open=np.full((1, windows, COLUMNS), NEVER),
            joins_at=np.zeros((windows, COLUMNS)),
            base_at=np.zeros((windows, COLUMNS)),
            mean=np.tile(MEANS, (windows, 1)),
            log_mean=np.tile(np.log(MEANS), (windows, 1)),
            joins=joins,
            base=base,
            ending_joins=ending_joins,
            ending_base=ending_base,
            total=np.zeros((1, windows, 1)),
        )
        hours = zip(
            before.lead_joins.T * before.grain, before.lead_base.T * before.grain, before.lead_others.T, strict=True
        )
        for hour, (came, expected, others) in enumerate(hours, start=-LEAD_H):
            started._end_calm_days(hour, before.frailty)
            day = log_mass(before.frailty, started.joins + came, started.base + expected)
            started.pass_hour(hour, came, expected, day[:, None], others)
        started._end_calm_days(0, before.frailty)
        return started

    def watch(self, frailty: Floats, day: Floats, weights: Floats) -> Floats:
        """The windows open, and a publication's own surge may begin. `day` (W x L): what `tick` will have counted of
        the first day so far; `weights` (L). Returns the chance that a surge goes on (W)."""
        calm = self.calm[0, :, 0] + log_mass(frailty, self.joins, self.base)
        seen = np.logaddexp(calm, self._surging(slice(None))[0])
        never = np.full((1, *day.shape), NEVER)
        self.log_rest = self.log_rest + calm - seen
        self.log_weights = np.log(weights)
        self.calm = np.concatenate(((calm - seen)[None, :, None] - day, never))
        self.open = np.concatenate((self.open - seen[:, None], np.full_like(self.open, NEVER)))
        self.total = np.concatenate((np.zeros((1, *day.shape)), never))
        return np.asarray(1 - np.exp(calm - seen))

    def tick(self, hour: int, joins: Floats, base: Floats, day: Floats, others: Floats | None = None) -> Floats:
        """As `pass_hour`. Returns log probabilities of all joins so far, 2 x W x L: whatever the publication does, and
        if what it does is like a surge."""
        self.pass_hour(hour, joins, base, day, others)
        to_come = self.log_to_come[:, min(hour // STEP_H, STEPS - 1), None]
        return np.array([self.total[0], np.logaddexp(to_come + self.total[0], self.total[1])])

    def pass_hour(self, hour: int, joins: Floats, base: Floats, day: Floats, others: Floats | None) -> None:
        """An hour went by: its number from the opening on, its joins and base (W), log f of the day so far without a
        surge (W x L), and the chance that an effect of another publication began in it (W), if there are any."""
        of_day = (self.opens + hour) % DAY_H
        turn = np.flatnonzero((of_day % PACE_H == 0) & (of_day > 0))
        if turn.size:
            self._goes_on(turn, PACING, self._surging(turn))
        if hour % STEP_H == 0:
            self._may_begin(hour // STEP_H, others)
        self.joins = self.joins + joins
        self.base = self.base + base
        self.ending_joins = KEPT * self.ending_joins + joins
        self.ending_base = KEPT * self.ending_base + base
        self.total = np.logaddexp(self.calm + day, self._surging(slice(None))[:, :, None])

    def _may_begin(self, step: int, others: Floats | None) -> None:
        first = step % FIRST * len(SIZES)
        begun = slice(first, first + len(SIZES))
        rates = self.rate if others is None else np.minimum(self.rate + STEP_H * others, 0.5)
        top = self.total.max(2)
        so_far = top + np.log(np.exp(self.total - top[:, :, None] + self.log_weights).sum(2))
        begins = np.log(rates) + so_far
        if len(begins) > 1 and step < STEPS:
            begins[1] = np.logaddexp(begins[1], self.log_begins[:, step] + so_far[0])
        none = np.log1p(-rates)[:, None]
        self.calm += none
        self.open += none
        self.open[:, :, begun] = begins[:, :, None] + LOG_SIZE_WEIGHTS
        self.joins_at[:, begun], self.base_at[:, begun] = self.joins[:, None], self.base[:, None]

    def end_day(self, which: Indices, day: Floats) -> None:
        """A day is over for these windows; `day`: its log f without a surge."""
        surging = self._surging(which)
        self.calm[:, which] = np.logaddexp(self.calm[:, which] + day, surging[:, :, None] + np.log(1 - LASTS))
        self.joins[which], self.base[which] = 0.0, 0.0
        self._goes_on(which, FADING, surging + np.log(LASTS))

    def _end_calm_days(self, hour: int, frailty: Floats) -> None:
        ended = np.flatnonzero((self.opens + hour) % DAY_H == 0)
        if ended.size:
            self.end_day(ended, log_mass(frailty, self.joins, self.base)[ended, None])

    def _goes_on(self, which: Indices, paces: tuple[Floats, Floats], log: Floats) -> None:
        """At one of the next `paces`, with log probability `log` (chains x windows)."""
        share, log_chance = paces
        ended = (FRAILTY + self.ending_joins[which]) / (FRAILTY / UNSEEN + self.ending_base[which])
        self.open[:, which] = NEVER
        self.open[:, which, NEXT:] = log[:, :, None] + log_chance
        self.joins_at[which, NEXT:], self.base_at[which, NEXT:] = self.joins[which, None], self.base[which, None]
        mean = (1 + np.maximum(ended[:, None] - 1, 0.5) * share) / NEXT_FRAILTY
        self.mean[which, NEXT:], self.log_mean[which, NEXT:] = mean, np.log(mean)

    def _surging(self, which: Indices | slice) -> Floats:
        """Log probability that a surge goes on, with today's joins: 2 x W."""
        joins = self.joins[which, None] - self.joins_at[which]
        base = self.base[which, None] - self.base_at[which]
        at_least = SHAPE + joins
        log = gammaln(at_least) - LOG_GAMMA + joins * self.log_mean[which]
        log -= at_least * np.log1p(np.maximum(base, 0.0) * self.mean[which])
        every = self.open[:, which] + log
        top = every.max(2)
        every -= top[:, :, None]
        return np.asarray(top + np.log(np.exp(every).sum(2)))


def _begins(enough: Floats) -> Floats:
    """Chances that a publication's own surge begins in each step of its first day: windows x steps.

    A chance of `enough` makes a beginning worth `PAYS`. So much is staked on one step after the other, as far as it
    goes (on the more of them, the rarer surges are), as nothing is gained from being worth more; the rest is spread as
    surges mostly begin.
    """
    staked = np.minimum(enough[:, None] * np.arange(STEPS + 1), IN_TIME)
    staked = np.diff(staked, axis=1)
    return np.asarray(staked + (EVER - staked.sum(1))[:, None] * BEGINS)
