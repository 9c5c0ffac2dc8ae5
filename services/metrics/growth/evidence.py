"""The anytime-valid evidence that a publication brought joins: an e-process, hour by hour, for 168 hours.

For a block (a calendar day in Asia/Tokyo) with n joins and base rates b_h, an effect (theta, tau, onset) expects
m = a sum_h b_h (1 + theta e^(-(t_h - onset)/tau)); with day frailty k
log f = -(k + n) ln(k + m) + n ln a + sum_h n_h ln(1 + theta e^...) + what does not depend on the effect.
E is the mean of the predictive over the prior of the effect, over the same without an effect; the level's error `a` is
integrated over in both by the same prior, so that E is a likelihood ratio of two mixtures: under the null it exceeds c
at any hour with probability <= 1/c (Ville 1939; Ramdas et al. 2023, "Game-theoretic statistics and safe anytime-valid
inference").
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.metrics.growth.before import Before
from services.metrics.growth.effects import Prior
from services.metrics.growth.model import WINDOW_H, Counts, Flags, Floats, Indices
from services.metrics.growth.negative_binomial import log_mass
from services.metrics.growth.quick import CLAIMED_H, LEFT, Claims
from services.metrics.growth.surge import STEP_H, Surges

PART_OF_A_DAY = 2.0  # hours before the window tell of its first day at most as much as frailty / 2 joins
ALARM = 100.0  # the threshold on E for 1 % false alarms
ERROR_NODES = np.array([-2.2, -1.1, 0.0, 1.1, 2.2])  # of the level's error, in standard deviations
ERROR_WEIGHTS = np.exp(-(ERROR_NODES**2) / 2) / np.exp(-(ERROR_NODES**2) / 2).sum()
NAMED_BY_CHANCE = 0.02  # share of joins that would have come anyway and still name this very publication
NAMED_SHARES = np.array([0.1, 0.4, 0.8])
NAMING_STAKE = 0.02  # of the evidence that is put on captured sources


def _with_none(prior: Prior) -> Floats:
    return np.concatenate((np.zeros((WINDOW_H, 1)), prior.profile()), axis=1)


@dataclass
class Evidence:
    """Evidence of W windows that are looked at together, after `hour` hours, and all that it needs to go on.

    L are the nodes of the level's error, C the effects of the prior, the first of them none.
    """

    log_prior: Floats  # C - 1
    profile: Floats  # hours x C
    error: Floats  # W x L x C: the level's error as a factor
    finished: Floats  # W x L x C: log f of earlier days
    joins: Floats  # W: of the current day
    base: Floats  # W x L x C: expected on the current day
    carried: Floats  # W x L x C: the level's error and what the current day repeats of the day before, as a factor
    log_carried: Floats
    log_rates: Floats  # W x C
    frailty: Floats  # W: of the current day
    echo: Floats  # W
    grain: Floats  # W: how much of a join counts
    hour: int
    log_evidence: Floats  # W
    claims: Claims  # on the first hours
    surges: Surges  # that no publication explains

    @classmethod
    def start(cls, prior: Prior, before: Before) -> "Evidence":
        spread = np.sqrt(np.log1p(before.level_doubt))[:, None]
        windows, effects = len(spread), len(prior.weight) + 1
        trust = before.grain / (1 + PART_OF_A_DAY * before.grain * before.base / before.frailty)
        error = np.exp(ERROR_NODES * spread - spread**2 / 2)[:, :, None] * np.ones(effects)
        started = cls(
            log_prior=np.log(prior.weight),
            profile=_with_none(prior),
            error=error,
            finished=np.zeros((windows, len(ERROR_NODES), effects)),
            joins=before.joins * trust,
            base=error * (before.echoed * before.base * trust)[:, None, None],
            carried=error * before.echoed[:, None, None],
            log_carried=np.log(error * before.echoed[:, None, None]),
            log_rates=np.zeros((windows, effects)),
            frailty=before.frailty,
            echo=before.echo,
            grain=before.grain,
            hour=0,
            log_evidence=np.zeros(windows),
            claims=_claims(before, trust),
            surges=Surges.start(before),
        )
        day = started._day(slice(None))
        started.finished -= day
        started.claims.surging = started.surges.watch(before.frailty, day[:, :, 0], ERROR_WEIGHTS)
        started.claims.surges = started.surges.rate / STEP_H
        return started

    def state(self) -> dict[str, Any]:
        """Everything that changes or was drawn from the past, as plain arrays and numbers; the prior is left out."""
        apart = ("log_prior", "profile", "claims", "surges")
        kept = {name: value for name, value in vars(self).items() if name not in apart}
        return kept | {"claims": dict(vars(self.claims)), "surges": dict(vars(self.surges))}

    @classmethod
    def restored(cls, prior: Prior, state: dict[str, Any]) -> "Evidence":
        """Goes on from a stored `state` exactly as if it had never stopped."""
        parts = {"claims": Claims(**state["claims"]), "surges": Surges(**state["surges"])}
        return cls(**{**state, **parts, "log_prior": np.log(prior.weight), "profile": _with_none(prior)})

    def tick(
        self, joins: Floats, base: Floats, frailty: Floats, new_day: Flags, others: Floats | None = None
    ) -> Floats:
        """One more hour: joins, base rate, frailty of its day, whether its day begins with it, and the chance that a
        surge by another publication began in it, where there are any. Returns ln E.

        All arguments and the result have one value per window.
        """
        begun = np.flatnonzero(new_day)
        if begun.size:
            self._end_day(begun)
        if self.hour < CLAIMED_H:
            self.claims.tick(joins, base, others)
        profile = self.profile[self.hour]
        joins, base = joins * self.grain, base * self.grain
        self.joins += joins
        self.base += self.carried * (base[:, None] * (1 + profile))[:, None, :]
        self.log_rates += joins[:, None] * np.log1p(profile)
        self.frailty = frailty
        joint = self._day(slice(None))
        null, also = self.surges.tick(self.hour, joins, base, joint[:, :, 0], others)
        joint += self.finished
        self.hour += 1
        some = joint[:, :, 1:]
        some += self.log_prior + self.surges.log_rest[:, None, None]
        some = np.concatenate((some, (also + self.surges.log_share[:, None])[:, :, None]), axis=2)
        top = null.max(1)
        some -= top[:, None, None]
        above = some.reshape(len(top), -1).max(1)
        some -= above[:, None, None]
        np.exp(some, out=some)
        self.log_evidence = above + np.log(some.sum(2) @ ERROR_WEIGHTS)
        self.log_evidence -= np.log(np.exp(null - top[:, None]) @ ERROR_WEIGHTS)
        self.log_evidence = np.logaddexp(self.log_evidence + np.log(LEFT), np.log(self.claims.paid + 1e-300))
        return self.log_evidence

    def _end_day(self, which: Indices) -> None:
        day = self._day(which)
        self.finished[which] += day
        self.surges.end_day(which, day[:, :, 0])
        frailty = self.frailty[which, None, None]
        was = (frailty + self.joins[which, None, None]) / (frailty + self.base[which])
        was *= self.carried[which] / self.error[which]
        self.carried[which] = self.error[which] * (1 + self.echo[which, None, None] * (was - 1))
        self.log_carried[which] = np.log(self.carried[which])
        self.joins[which] = 0.0
        self.base[which] = 0.0
        self.log_rates[which] = 0.0

    def _day(self, which: Indices | slice) -> Floats:
        """log f of the current day: windows x L x C, up to a term of each window that does not depend on the effect."""
        joins, frailty = self.joins[which, None, None], self.frailty[which, None, None]
        day = log_mass(frailty, joins, self.base[which])
        day += self.log_rates[which, None, :]
        day += joins * self.log_carried[which]
        return day


def _claims(before: Before, trust: Floats) -> Claims:
    """Claims on the first hours, with what the hours of the day before them have told of the day."""
    shape = before.frailty + before.joins * trust
    expecting = before.echoed * shape / (before.frailty + before.echoed * before.base * trust)
    return Claims.start(expecting, 1 / shape + before.level_doubt)


def log_naming(joins: Floats, captured: Counts) -> Floats:
    """ln of the evidence of captured sources, for the hours of a window: one value per hour.

    Given how many joined, those who would have come anyway name this very publication with a chance of at most
    `NAMED_BY_CHANCE`; the alternatives are `NAMED_SHARES`. This is a martingale beside that of the counts (it is
    conditional on them), so that the product is one too. Only a small stake is put on it, whether or not the stream
    captures sources, so that those without lose 2 % of E at most.
    """
    named = np.cumsum(np.minimum(captured, joins))
    other = np.cumsum(joins) - named
    share = NAMED_SHARES[:, None]
    log = named * np.log(share / NAMED_BY_CHANCE) + other * np.log((1 - share) / (1 - NAMED_BY_CHANCE))
    log = log + np.log(NAMING_STAKE / len(NAMED_SHARES))
    return np.asarray(np.logaddexp(np.logaddexp.reduce(log, axis=0), np.log1p(-NAMING_STAKE)))


def discoveries(log_evidence: Floats, level: float = 0.05) -> Flags:
    """Which of many publications had an effect, at a false discovery rate of `level` (e-BH, Wang and Ramdas 2022)."""
    count = len(log_evidence)
    order = np.argsort(-log_evidence, kind="stable")
    enough = log_evidence[order] + np.log(np.arange(1, count + 1)) >= np.log(count / level) if count else order > 0
    found = np.zeros(count, dtype=np.bool_)
    found[order[: np.flatnonzero(enough).max(initial=-1) + 1]] = True
    return found
