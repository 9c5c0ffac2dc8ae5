"""The anytime-valid evidence that a publication brought joins: an e-process, hour by hour, for 168 hours.

For a block (a calendar day in Asia/Tokyo) with n joins and base rates b_h, an effect (theta, tau, onset) expects
m = a sum_h b_h (1 + theta e^(-(t_h - onset)/tau)); with day frailty k
log f = -(k + n) ln(k + m) + n ln a + sum_h n_h ln(1 + theta e^...) + what does not depend on the effect.
E is the mean of the predictive over the prior of the effect, over the same without an effect; the level's error `a` is
integrated over in both by the same prior, so that E is a likelihood ratio of two mixtures: under the null it exceeds c
at any hour with probability <= 1/c (Ville 1939; Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid
inference").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import gammaln

from numpy.typing import NDArray

from services.metrics.growth.model import Floats, Indices

Flags = NDArray[np.bool_]
WATCHED_H = 168
ALARM = 100.0  # the threshold on E for 1 % false alarms
ERROR_NODES = np.array([-2.2, -1.1, 0.0, 1.1, 2.2])  # of the level's error, in standard deviations
ERROR_WEIGHTS = np.exp(-(ERROR_NODES**2) / 2) / np.exp(-(ERROR_NODES**2) / 2).sum()
SURGE_ON = 0.01  # surges per day from which the null expects them
SURGE_SIZE, SURGE_FRAILTY = 3.0, 0.7  # a surge's day: joins above the base, in bases, and how they scatter
NAMED_BY_CHANCE = 0.02  # share of joins that would have come anyway and still name this very publication
NAMED_SHARES = np.array([0.1, 0.4, 0.8])
NAMING_STAKE = 0.02  # of the evidence that is put on captured sources


@dataclass(frozen=True)
class Before:
    """What is known of W windows when they open: the first day's hours before, and doubts (one value per window)."""

    joins: Floats  # of the first day before the window
    base: Floats  # expected in these hours
    frailty: Floats  # of the first day
    level_doubt: Floats  # relative variance of the level
    surge_rate: Floats  # share of days with a surge that no publication explains


@dataclass(frozen=True)
class Prior:
    """Effects that are looked for: arrays of one length, and their weights (sum 1)."""

    theta: Floats
    tau_h: Floats
    onset_h: Floats
    weight: Floats

    def profile(self) -> Floats:
        """Relative effect of every watched hour: hours x effects."""
        after = np.arange(WATCHED_H)[:, None] - self.onset_h
        return np.where(after >= 0, self.theta * np.exp(-np.maximum(after, 0) / self.tau_h), 0.0)


ONSETS = {0.0: 0.86, 24.0: 0.07, 48.0: 0.07}
Weights = dict[float, float]
BROAD: tuple[Weights, Weights] = (  # theta, tau: most weight where a small community's effects lie
    {0.4: 0.08, 0.8: 0.23, 1.5: 0.30, 3.0: 0.19, 6.0: 0.12, 12.0: 0.05, 25.0: 0.03},
    {10.0: 0.2, 50.0: 0.4, 150.0: 0.4},
)
OF_KIND: dict[str, tuple[Weights, Weights]] = {
    "magazine_issue": ({0.6: 0.25, 1.0: 0.25, 1.7: 0.25, 3.0: 0.25}, {40.0: 0.5, 100.0: 0.5}),
    "broadcast": ({1.0: 0.25, 2.5: 0.25, 6.0: 0.25, 15.0: 0.25}, {6.0: 0.34, 16.0: 0.33, 40.0: 0.33}),
}


@cache
def prior_of(kind: str) -> Prior:
    """The prior of a kind, mixed half and half with the broad one; the broad one alone for kinds without their own."""
    broad = _grid(*BROAD)
    if kind not in OF_KIND:
        return broad
    own = _grid(*OF_KIND[kind])
    both = [np.concatenate(pair) for pair in zip(_columns(own), _columns(broad), strict=True)]
    return Prior(both[0], both[1], both[2], both[3] / 2)


def _columns(prior: Prior) -> tuple[Floats, ...]:
    return prior.theta, prior.tau_h, prior.onset_h, prior.weight


def _grid(thetas: Weights, taus: Weights) -> Prior:
    cells = [
        (theta, tau, onset, at_onset * at_theta * at_tau)
        for onset, at_onset in ONSETS.items()
        for theta, at_theta in thetas.items()
        for tau, at_tau in taus.items()
    ]
    return Prior(*(np.array(column) for column in zip(*cells, strict=True)))


@dataclass
class Evidence:
    """Evidence of W windows that are looked at together, after `hour` hours, and all that it needs to go on.

    L are the nodes of the level's error, C the effects of the prior, the first of them none.
    """

    log_prior: Floats  # L x C
    profile: Floats  # hours x C
    error: Floats  # W x L x 1: the level's error as a factor
    surge_rate: Floats  # W; 0 where the null expects no surges
    finished: Floats  # W x L x C: log f of earlier days
    joins: Floats  # W: of the current day
    base: Floats  # W x C: expected on the current day at a = 1
    log_rates: Floats  # W x C
    frailty: Floats  # W: of the current day
    hour: int
    log_evidence: Floats  # W

    @classmethod
    def start(cls, prior: Prior, before: "Before") -> "Evidence":
        spread = np.sqrt(np.log1p(before.level_doubt))[:, None]
        windows, effects = len(spread), len(prior.weight) + 1
        base = np.repeat(before.base[:, None], effects, axis=1)
        started = cls(
            log_prior=np.log(ERROR_WEIGHTS)[:, None] + np.log(np.concatenate(([1.0], prior.weight))),
            profile=np.concatenate((np.zeros((WATCHED_H, 1)), prior.profile()), axis=1),
            error=np.exp(ERROR_NODES * spread - spread**2 / 2)[:, :, None],
            surge_rate=np.where(before.surge_rate >= SURGE_ON, before.surge_rate, 0.0),
            finished=np.zeros((windows, len(ERROR_NODES), effects)),
            joins=before.joins.astype(np.float64),
            base=base,
            log_rates=np.zeros((windows, effects)),
            frailty=before.frailty,
            hour=0,
            log_evidence=np.zeros(windows),
        )
        started.finished -= started._day(np.arange(windows))
        return started

    def tick(self, joins: Floats, base: Floats, frailty: Floats, new_day: Flags) -> Floats:
        """One more hour: joins, base rate, frailty of its day, and whether its day begins with it. Returns ln E.

        All arguments and the result have one value per window.
        """
        begun = np.flatnonzero(new_day)
        if begun.size:
            self.finished[begun] += self._day(begun)
            self.joins[begun] = 0.0
            self.base[begun] = 0.0
            self.log_rates[begun] = 0.0
        profile = self.profile[self.hour]
        self.joins += joins
        self.base += base[:, None] * (1 + profile)
        self.log_rates += joins[:, None] * np.log1p(profile)
        self.frailty = frailty
        joint = self._day(slice(None))
        joint += self.finished
        joint += self.log_prior
        self.hour += 1
        null = joint[:, :, 0].max(1)
        joint -= null[:, None, None]
        top = np.maximum(joint.reshape(len(null), -1).max(1), 0.0)
        with_none = np.exp(joint[:, :, 0]).sum(1)
        joint -= top[:, None, None]
        np.exp(joint, out=joint)
        self.log_evidence = top + np.log(joint[:, :, 1:].sum((1, 2))) - np.log(with_none)
        return self.log_evidence

    def _day(self, which: Indices | slice) -> Floats:
        """log f of the current day: windows x L x C, up to a term of each window that does not depend on the effect."""
        joins, frailty = self.joins[which, None, None], self.frailty[which, None, None]
        day = np.log1p(self.error[which] * (self.base[which, None, :] / frailty))
        day *= -(frailty + joins)
        day += self.log_rates[which, None, :]
        day += joins * np.log(self.error[which])
        rate = self.surge_rate[which, None, None]
        return self._or_surge(day, joins, frailty, rate, which) if rate.any() else day

    def _or_surge(self, day: Floats, joins: Floats, frailty: Floats, rate: Floats, which: Indices | slice) -> Floats:
        """The day as a mixture with a surge that no publication explains, whether or not this one had an effect."""
        least = SURGE_FRAILTY
        base = (1 + SURGE_SIZE) * self.error[which] * self.base[which, None, :1]
        surge = gammaln(least + joins) - gammaln(least) - gammaln(frailty + joins) + gammaln(frailty)
        surge = surge - (least + joins) * np.log1p(base / least) + joins * np.log(base / self.base[which, None, :1])
        surge = surge + joins * (np.log(frailty) - np.log(least))
        with np.errstate(divide="ignore"):
            return np.asarray(np.logaddexp(np.log1p(-rate) + day, np.log(rate) + surge))
