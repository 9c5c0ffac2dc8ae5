"""Surges that no publication explains, as part of the null, and a publication's effect that is like one.

A surge begins in any hour with a small chance, lasts whole days more with chance `LASTS`, and fades: a day's joins are
negative binomial with a frailty of about 1, and a day that goes on has a mean that follows from how the last one ended,
so that a new leap is a new beginning. Where such surges occur, what speaks for a publication is that one begins soon
after it, rather than in any other hour. Two hidden Markov chains over days, forward probabilities only (Rabiner 1989),
which differ in the chance of a beginning alone: as ever, and as after a publication.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from services.metrics.growth.model import Floats, Indices

SURGE_ON = 0.006  # surges a day from which they are no rarity: one in the last 130 days
SURGE_SHARE, RARE_SHARE = 0.8, 0.03  # of the prior that an effect is like a surge: where surges occur, and at least
SHARE_FALLS = 2.0  # the share with the rate: so fast that what a surge in time can be worth stays about the same
RARER, LEAST_RATE = 0.3, 1e-9  # where they are a rarity, the rate is less than its prior says: times this, at least
SIZES = {8.0: 0.6, 60.0: 0.4}  # mean of a surge's first day, in bases: chances
FADES = {0.1: 0.3, 0.35: 0.4, 0.9: 0.3}  # mean of a day that goes on, as a share of how the last one ended: chances
FRAILTY, FADING_FRAILTY = 0.9, 1.5  # how much first days and days that go on scatter
LASTS = 0.7
ENDING_H = 8.0  # memory of how a day ends
DAY_H, STEP_H = 24, 2  # a surge begins at every second hour, which is near enough
STEPS = DAY_H // STEP_H
BEGINS = np.array([0.30, 0.20, 0.12, 0.09, 0.06, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.02])  # after a publication
HAZARD = BEGINS / (1 - np.append(0.0, np.cumsum(BEGINS)[:-1]))
NEVER = -1e30

EARLY, FADING = STEPS * len(SIZES), (STEPS + 1) * len(SIZES)  # columns: steps, before the window, days that go on
COLUMNS = FADING + len(FADES)
SHAPE = np.where(np.arange(COLUMNS) < FADING, FRAILTY, FADING_FRAILTY)
LOG_GAMMA = gammaln(SHAPE)
MEANS = np.concatenate((np.tile(list(SIZES), STEPS + 1), np.ones(len(FADES)))) / SHAPE
LOG_SIZE_WEIGHTS, LOG_FADE_WEIGHTS = np.log(list(SIZES.values())), np.log(list(FADES.values()))
FADE = np.array(list(FADES))
KEPT = float(np.exp(-1 / ENDING_H))


@dataclass
class Surges:
    """Log probabilities of both chains (2 x W windows, and L nodes of the level's error where no surge goes on), with
    the joins of finished days.

    Columns are ways a surge may go on today: begun at one of today's steps, before the window, or yesterday.
    """

    log_rate: Floats  # W: that a surge begins, per step of two hours
    log_share: Floats  # W: of the prior that an effect is like a surge
    log_rest: Floats  # of the prior, for effects on top of a calm day, as far as the hours before the window are one
    log_weights: Floats  # L
    calm: Floats  # 2 x W x L: no surge today so far
    open: Floats  # 2 x W x columns, without the joins since it began
    joins_at: Floats  # W x columns: today's joins before it began
    base_at: Floats
    mean: Floats  # W x columns: of the surge, in bases, over its shape
    log_mean: Floats
    joins: Floats  # W: of today
    base: Floats
    ending_joins: Floats  # W: of lately
    ending_base: Floats
    total: Floats  # 2 x W x L: of all there was so far

    @classmethod
    def start(
        cls, rate: Floats, surging: Floats, joins: Floats, base: Floats, calm: Floats, day: Floats, weights: Floats
    ) -> "Surges":
        """`rate` per day; `surging`: by how much yesterday's end was above its base, 0 if no surge; `joins` and `base`
        (W) of the first day so far, `calm` their log f without a surge (W); `day`: what `tick` has counted of it."""
        windows = len(rate)
        usual = np.minimum(rate / SURGE_ON, 1.0)
        share = np.maximum(SURGE_SHARE * usual**SHARE_FALLS, RARE_SHARE)
        rate = np.maximum(rate * np.maximum(usual, RARER), LEAST_RATE)
        started = cls(
            log_rate=np.log(rate / STEPS),
            log_share=np.log(share),
            log_rest=np.log1p(-share),
            log_weights=np.log(weights),
            calm=np.zeros((2, windows, len(weights))),
            open=np.full((2, windows, COLUMNS), NEVER),
            joins_at=np.zeros((windows, COLUMNS)),
            base_at=np.zeros((windows, COLUMNS)),
            mean=np.tile(MEANS, (windows, 1)),
            log_mean=np.tile(np.log(MEANS), (windows, 1)),
            joins=joins.copy(),
            base=base.copy(),
            ending_joins=joins * np.minimum(1.0, ENDING_H / DAY_H),
            ending_base=base * np.minimum(1.0, ENDING_H / DAY_H),
            total=np.zeros((2, windows, len(weights))),
        )
        goes_on = np.where(surging > 0, LASTS, 1e-9)
        started._fade(slice(None), surging)
        started.open[:, :, FADING:] = np.log(goes_on)[:, None] + LOG_FADE_WEIGHTS
        started.open[:, :, EARLY:FADING] = np.log(0.5 * rate)[:, None] + LOG_SIZE_WEIGHTS
        quiet = np.log1p(-goes_on - 0.5 * rate)
        seen = np.logaddexp(quiet + calm, started._surging(slice(None))[0])
        started.open -= seen[:, None]
        started.log_rest += quiet + calm - seen
        started.calm += (quiet + calm - seen)[:, None] - day
        return started

    def tick(self, hour: int, joins: Floats, base: Floats, day: Floats, others: Floats | None = None) -> Floats:
        """An hour went by: its joins and base (W), log f of the day so far without a surge (W x L), and the chance that
        an effect of another publication began in it (W), if there are any.

        Returns log probabilities of all joins so far, 2 x W x L: whatever the publication does, and if what it does is
        like a surge."""
        if hour % STEP_H == 0:
            self._may_begin(hour // STEP_H, others)
        self.joins = self.joins + joins
        self.base = self.base + base
        self.ending_joins = KEPT * self.ending_joins + joins
        self.ending_base = KEPT * self.ending_base + base
        self.total = np.logaddexp(self.calm + day, self._surging(slice(None))[:, :, None])
        return self.total

    def _may_begin(self, step: int, others: Floats | None) -> None:
        first = step % STEPS * len(SIZES)
        begun = slice(first, first + len(SIZES))
        rates = np.exp(self.log_rate)
        if others is not None:
            rates = np.minimum(rates + STEP_H * others, 0.5)
        own = HAZARD[step] if step < len(HAZARD) else 0.0
        begins = np.array([rates, rates + own * (1 - rates)])
        top = self.total.max(2)
        so_far = top + np.log(np.exp(self.total - top[:, :, None] + self.log_weights).sum(2))
        none = np.log1p(-begins)[:, :, None]
        self.calm += none
        self.open += none
        self.open[:, :, begun] = (np.log(begins) + so_far)[:, :, None] + LOG_SIZE_WEIGHTS
        self.joins_at[:, begun], self.base_at[:, begun] = self.joins[:, None], self.base[:, None]

    def end_day(self, which: Indices, day: Floats) -> None:
        """A day is over for these windows; `day`: its log f without a surge."""
        surging = self._surging(which)
        self.calm[:, which] = np.logaddexp(self.calm[:, which] + day, surging[:, :, None] + np.log(1 - LASTS))
        self.open[:, which] = NEVER
        self.open[:, which, FADING:] = surging[:, :, None] + (np.log(LASTS) + LOG_FADE_WEIGHTS)
        self._fade(which, (self.ending_joins[which] + 0.5) / (self.ending_base[which] + 0.5))
        self.joins[which], self.base[which] = 0.0, 0.0

    def _fade(self, which: Indices | slice, ended: Floats) -> None:
        mean = (1 + np.maximum(ended[:, None] - 1, 0.5) * FADE) / FADING_FRAILTY
        self.mean[which, FADING:], self.log_mean[which, FADING:] = mean, np.log(mean)

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
