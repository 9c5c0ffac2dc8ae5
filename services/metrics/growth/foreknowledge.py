"""What was known at the start of each day from the joins of earlier days alone: shape, level, effects, scatter, doubt.

Level and effects of publications are a Kalman filter over days (West and Harrison 1997): the level wanders, and leaps
once days have missed it in one direction, or where a chain that tells levels from surges (`regime.py`) contradicts it;
an effect is a signed size times the kernel of its kind. One sweep serves all publications and placebos.
"""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth import baseline, youth
from services.metrics.growth.calendar import sums
from services.metrics.growth.model import Flags, Floats
from services.metrics.growth.negative_binomial import log_mass
from services.metrics.growth.past_shape import GUESSED_FRAILTY, Days, Shape, before, discounted, shape_of
from services.metrics.growth.regime import Regime, regime
from services.metrics.growth.stream import Stream

FRAILTY_GRID = (1.0, 2.5, 6.0, 14.0, 35.0, 100.0, 2000.0)
FRAILTY_PRIOR = np.log([1e-6, 1e-4, 0.001, 0.05, 0.75, 0.15, 0.05])
LEVEL_SD = 0.006  # of the level's random walk, a day
MONITOR, SURPRISED, SHIFT_SD = 0.85, 3.3, 0.15  # days in one direction, in standard deviations, are a shift
MOST_SD, SHIFT_DAYS, TRUSTED_DAYS = 2.7, 5, 5  # of one day; days that a shift shows in; days not cut after it
LEAP, FADES, PEAK_MEMORY = 5.0, 0.5, 0.8  # a day below this share of the largest excess of late is a surge's end
SCATTER_MEMORY = 0.995  # per day
EFFECT_MEAN_DAYS, EFFECT_SD_DAYS = 0.7, 3.0  # of a publication of which nothing was seen yet, in days of the level
EFFECT_SD_JOINS = 2.0
CONTRADICTED, NEAR_SD = 2.0, 0.1  # standard deviations of ln of the level; the chain's grid tells no less apart
SURE = 0.7  # that a day was one of a surge, by the chain: at 7 joins a day next to none is without one
WEEK = 7
SHARE, SHARES = 0.2, 10.0  # prior of the share of publications with a surge: had, of
APART_DAYS = 3  # a surge so soon after another is the same one
FADING_DAYS = 4  # days after a surge that do not tell how much days scatter
DRIFT_PRIOR_DAYS, DRIFT_PRIOR, DRIFT_SCALE = (
    15.0,
    0.035**2,
    0.01,
)  # relative variance of a week's level beside what the filter knows
DRIFT_MOST = 0.5**2
ECHO_PRIOR, ECHO_WEIGHT, ECHO_MOST = 0.03, 18.0, 0.7
SURGING_STREAMS, HARDLY_A_SURGE = 0.07, 0.0003  # prior of a stream with surges of its own; their rate elsewhere
SURGES, SURGE_DAYS, SURGE_MEMORY = 3.6, 380.0, 0.995  # prior of their rate: had, in days; memory per day


@dataclass(frozen=True)
class Foreknowledge:
    """Row d of each array is what was known at the start of day d of the stream (days + 1 rows)."""

    weekday: Floats  # days + 1, 7
    hour: Floats  # days + 1, 24
    season: Floats  # days + 1, 7, SEASONS: what a season does to the exposure of a weekday
    season_doubt: Floats  # days + 1, SEASONS: its relative variance
    level: Floats  # joins per hour at exposure 1
    level_doubt: Floats  # its relative variance, as a mean over the coming week
    frailty: Floats  # of days around their mean
    echo: Floats  # how much of a day's frailty the next day repeats
    echoed: Floats  # what the coming day repeats of the last one, as a factor
    surge_rate: Floats  # share of days on which a surge begins that no publication explains
    surge_share: Floats  # of the publications so far, those with a surge
    effect: Floats  # days + 1, publications: joins in all
    effect_doubt: Floats  # their variance


def foreknow(stream: Stream) -> Foreknowledge:
    days = Days.of(stream)
    shape = shape_of(days)
    rows = np.arange(len(days.counts))
    factor = shape.weekday[rows, days.weekday] * shape.season[rows, days.weekday, days.season]
    hourly = shape.hour[:-1] * factor[:, None] * days.known
    return _sweep(stream, days, shape, hourly)


def daily_mass(stream: Stream, exposure: Floats) -> Floats:
    """Unit effects by day: days x publications; `exposure`: days x 24."""
    hours, count = stream.hours, len(stream.at)
    by_hour = exposure.reshape(-1)[hours.day * 24 + hours.hour]
    hour, which, mass = stream.unit_effects(by_hour)
    return sums(hours.day[hour] * count + which, mass, hours.days * count).reshape(hours.days, count)


def _sweep(stream: Stream, days: Days, shape: Shape, hourly: Floats) -> Foreknowledge:
    exposure, joins = hourly.sum(1), days.counts.sum(1)
    mass = daily_mass(stream, hourly)
    chain = regime(joins, exposure)
    filtered = _filter(stream, joins, exposure, mass, chain)
    mean, other = filtered.level[:-1] * exposure, (filtered.effect[:-1] * mass).sum(1)
    other_doubt = (filtered.effect_doubt[:-1] * mass**2).sum(1)
    own = mean + np.maximum(other, 0.0)
    alone = mean**2 / (mean**2 + other_doubt + np.maximum(other, 0) ** 2 + 1e-9)
    fresh = ((mass > 0) & (filtered.effect_doubt[:-1] == 0)).any(1)
    alone = np.where(fresh | np.append(False, fresh[:-1]), 0.0, alone)
    big = leapt_over(joins, mean)
    leapt = leapt_over(joins, own)
    surge = (leapt | (chain.surge > SURE)) & (alone > 0.5)
    begins = surge & ~_lately(surge, APART_DAYS)
    young = youth.youth(len(joins))
    faded = _lately(leapt, FADING_DAYS) & (joins > mean)
    cut = baseline.cut(joins, own)
    usual = np.where(leapt | faded, 0.0, alone)
    frailty = _frailty(cut, own, usual)
    left = cut - np.maximum((filtered.effect[1:] * mass).sum(1), 0.0)
    drift = _drift(left, exposure, filtered.level, filtered.level_variance, frailty, alone)
    echo, echoed = _echo(joins, own, frailty, usual)
    share = 1 / (1 + frailty / np.maximum(24 * filtered.level, 1e-3))
    level_doubt = (1 + 2 * share * echo / (1 - echo)) * filtered.level_variance / filtered.level**2 + drift
    level_doubt += youth.LEVEL_DOUBT * young
    frailty = 1 / (1 / frailty + youth.DAY_DOUBT * young)
    return Foreknowledge(
        shape.weekday, shape.hour, shape.season, shape.doubt, filtered.level, level_doubt, frailty, echo, echoed,
        _surge_rate(begins), _surge_share(stream, big), filtered.effect, filtered.effect_doubt,
    )  # fmt: skip


def leapt_over(joins: Floats, mean: Floats) -> Flags:
    """Whether days had far more joins than expected, whatever their number."""
    return np.asarray(joins > np.maximum(3.5 * mean, mean + 5 * np.sqrt(mean) + 4))


def _surge_rate(begins: Flags) -> Floats:
    """Surges a day, as known at the start of every day: of a stream that may be one in which none occur."""
    seen = discounted(begins.astype(float), SURGE_MEMORY)
    days = discounted(np.ones(len(begins)), SURGE_MEMORY)
    usual = SURGES / SURGE_DAYS
    some = log_mass(SURGES, seen, usual * days) + seen * np.log(usual)
    hardly = seen * np.log(HARDLY_A_SURGE) - HARDLY_A_SURGE * days
    share = 1 / (1 + (1 - SURGING_STREAMS) / SURGING_STREAMS * np.exp(hardly - some))
    return np.asarray(share * (SURGES + seen) / (SURGE_DAYS + days) + (1 - share) * HARDLY_A_SURGE)


def _lately(happened: Flags, days: int) -> Flags:
    """Whether it happened in the `days` before each day."""
    so_far = np.append(0, np.cumsum(happened))
    return np.asarray(so_far[:-1] > so_far[np.maximum(np.arange(len(happened)) - days, 0)])


def _surge_share(stream: Stream, leapt: Flags) -> Floats:
    """Share of publications that a day far above the level followed, known two days after each of them."""
    days = len(leapt)
    day = stream.day_of_publication[(stream.at >= 0) & (stream.at < stream.counts.size)]
    seen, had = np.zeros(days + 3), np.zeros(days + 3)
    begins = leapt & ~np.append(False, leapt[:-1])
    np.add.at(seen, np.minimum(day + 2, days + 2), 1.0)
    published = np.bincount(day, minlength=days)  # a surge is that of one of those that may have brought it
    may = published + np.append(0, published[:-1])
    each = begins / np.maximum(may, 1)
    np.add.at(had, np.minimum(day + 2, days + 2), np.minimum(each[day] + np.append(each, 0.0)[day + 1], 1.0))
    return (np.cumsum(had) + SHARE)[: days + 1] / (np.cumsum(seen) + SHARES)[: days + 1]


@dataclass(frozen=True)
class _Filtered:
    level: Floats
    level_variance: Floats
    effect: Floats
    effect_doubt: Floats


def _filter(stream: Stream, joins: Floats, exposure: Floats, mass: Floats, chain: Regime) -> _Filtered:
    """The Kalman filter over days. A day far above its mean moves the level as if it were 3 x the mean."""
    count, days = len(stream.at), len(joins)
    level, variance = np.empty(days + 1), np.empty(days + 1)
    effect, doubt = np.zeros((days + 1, count)), np.zeros((days + 1, count))
    first = max(joins[: youth.FIRST_DAYS].sum(), 0.5) / max(exposure[: youth.FIRST_DAYS].sum(), 1.0)
    state, covariance = np.array([first]), np.array([[first**2]])
    joins_of, exposures = joins.tolist(), exposure.tolist()
    touched = mass != 0
    starts = np.where(touched.any(0), touched.argmax(0), days)
    ends = np.where(touched.any(0), days - touched[::-1].argmax(0), 0)
    coming = np.argsort(starts, kind="stable").tolist()
    active: list[int] = []
    surprise, lately, peak, trusting = 0.0, [0.0] * SHIFT_DAYS, 0.0, 0
    scatter, weight = 20 / GUESSED_FRAILTY, 20.0
    chain_level, chain_variance = np.exp(chain.log_level) / 24, chain.variance
    for day in range(days):
        if day >= youth.FIRST_DAYS:
            off = np.log(state[0] / chain_level[day])
            if off**2 > CONTRADICTED**2 * (chain_variance[day] + NEAR_SD**2 + covariance[0, 0] / state[0] ** 2):
                state[0], surprise = chain_level[day], 0.0
                covariance[0, :] = covariance[:, 0] = 0.0
                covariance[0, 0] = chain_level[day] ** 2 * min(chain_variance[day], 1.0)
        level[day], variance[day] = state[0], covariance[0, 0]
        effect[day:, active] = state[1:]
        doubt[day:, active] = np.diag(covariance)[1:]
        while coming and starts[coming[0]] <= day:
            active.append(coming.pop(0))
            state, covariance = _joined(state, covariance, state[0])
        gone = [i for i, p in enumerate(active) if ends[p] <= day]
        if gone:
            keep = [0, *(i + 1 for i in range(len(active)) if i not in gone)]
            state, covariance = state[keep], covariance[np.ix_(keep, keep)]
            active = [p for i, p in enumerate(active) if i not in gone]
        design = np.concatenate(([exposures[day]], mass[day, active]))
        base = max(state[0] * exposures[day], 0.02)
        mean = base + max(float(design[1:] @ state[1:]), 0.0)
        noise = mean + mean**2 * scatter / weight
        gain = covariance @ design
        spread = float(design @ gain) + noise
        error = joins_of[day] - float(design @ state)
        most = max(2 * mean, 4 * mean**0.5 + 3)
        if not active:
            weight = SCATTER_MEMORY * weight + 1
            scatter = SCATTER_MEMORY * scatter + min(max((error**2 - mean) / mean**2, -1.0), 1.0)
            scatter = max(scatter, weight / 2000)
        usual = max(spread, 1e-9) ** 0.5
        fades, peak = error < FADES * peak, max(error if error > LEAP * usual else 0.0, PEAK_MEMORY * peak)
        most_sd = 0.0 if fades else MOST_SD
        surprise = MONITOR * surprise + (1 - MONITOR**2) ** 0.5 * min(max(error / usual, -MOST_SD), most_sd)
        lately = [*lately[1:], error / max(exposures[day], 1.0)]
        if abs(surprise) > SURPRISED:
            covariance[0, 0] += (SHIFT_SD * state[0]) ** 2 + _shared(lately) ** 2
            gain = covariance @ design
            spread = float(design @ gain) + noise
            surprise, trusting = 0.5 * surprise, TRUSTED_DAYS
        trusting -= 1
        if trusting > 0:
            most = float("inf")
        if error > most:
            spread += noise * ((error / most) ** 2 - 1)
        floor = state[0] * 0.3
        state = state + gain * (error / spread)
        state[0] = max(state[0] - gain[0] * max(error - most, 0.0) / spread, floor, 1e-5)
        covariance = covariance - np.outer(gain, gain) / spread
        covariance[0, 0] += (LEVEL_SD * state[0]) ** 2
    level[days], variance[days] = state[0], covariance[0, 0]
    effect[days:, active] = state[1:]
    doubt[days:, active] = np.diag(covariance)[1:]
    return _Filtered(level, variance, effect, doubt)


def _shared(lately: list[float]) -> float:
    """What all but one of the last days had too much, or too little: a shift stays, a surge fades."""
    ordered = sorted(lately)
    return max(ordered[1], 0.0) + min(ordered[-2], 0.0)


def fresh_effect(level: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the effect of a publication of which nothing was seen yet, in joins."""
    return EFFECT_MEAN_DAYS * 24 * level, (EFFECT_SD_DAYS * 24 * level + EFFECT_SD_JOINS) ** 2


def _joined(state: Floats, covariance: Floats, level: float) -> tuple[Floats, Floats]:
    mean, variance = fresh_effect(np.array(level))
    size = len(state) + 1
    grown = np.zeros((size, size))
    grown[:-1, :-1], grown[-1, -1] = covariance, variance
    return np.append(state, mean), grown


def _frailty(joins: Floats, mean: Floats, weight: Floats) -> Floats:
    """By posterior weights on the grid: the k with the mean of 1/k, known at the start of every day."""
    grid, m = np.array(FRAILTY_GRID)[:, None], np.maximum(mean, 1e-3)
    likelihood = log_mass(grid, joins, m) + joins * np.log(m)
    total = np.zeros((len(joins) + 1, len(grid)))
    running = np.zeros(len(grid))
    for day, one in enumerate((likelihood * weight).T, start=1):
        running = SCATTER_MEMORY * running + one
        total[day] = running
    total += FRAILTY_PRIOR
    posterior = np.exp(total - total.max(1, keepdims=True))
    posterior /= posterior.sum(1, keepdims=True)
    return np.asarray(1 / (posterior @ (1 / grid[:, 0])))


def _echo(joins: Floats, mean: Floats, frailty: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Correlation of the frailty of neighbouring days, shrunk to a prior, and what it makes of the coming day."""
    at = np.maximum(mean, 1e-3)
    excess = np.clip((joins - at) / np.sqrt(at + at**2 / frailty[:-1]), -3, 3) * weight
    share = at / (at + frailty[:-1])  # of the variance that is frailty
    product, possible = np.zeros(len(joins)), np.zeros(len(joins))
    product[1:] = excess[1:] * excess[:-1] * np.sqrt(share[1:] * share[:-1])
    possible[1:] = share[1:] * share[:-1] * weight[1:] * weight[:-1]
    echo = (before(product) + ECHO_PRIOR * ECHO_WEIGHT) / (before(possible) + ECHO_WEIGHT)
    echo = np.clip(echo, 0.0, ECHO_MOST)
    was = (frailty[:-1] + np.minimum(joins, 3 * at + 3)) / (frailty[:-1] + at)
    return echo, 1 + echo * np.append(1.0, 1 + weight * (was - 1)) - echo


def _drift(joins: Floats, exposure: Floats, level: Floats, variance: Floats, frailty: Floats, alone: Floats) -> Floats:
    """By how much weeks missed their forecasts beyond chance: relative variance, from the weeks that had ended."""
    days = len(joins)
    if days <= WEEK:
        return np.full(days + 1, DRIFT_PRIOR)
    over = before(exposure)
    week = over[WEEK:] - over[:-WEEK]
    seen = before(joins)
    seen = seen[WEEK:] - seen[:-WEEK]
    square = before(exposure**2)
    square = square[WEEK:] - square[:-WEEK]
    weight = before(alone)
    weight = ((weight[WEEK:] - weight[:-WEEK]) / WEEK) ** 2
    at = level[: days + 1 - WEEK]
    mean = np.maximum(at * week, 1e-3)
    chance = mean + at**2 * square / frailty[: days + 1 - WEEK] + variance[: days + 1 - WEEK] * week**2
    weight *= (DRIFT_SCALE / (DRIFT_SCALE + chance / mean**2)) ** 2
    excess = np.clip(((seen - mean) ** 2 - chance) / mean**2, -1.0, 1.0) * weight
    learnt = np.full(days + 1, DRIFT_PRIOR)
    total, weights = DRIFT_PRIOR * DRIFT_PRIOR_DAYS, DRIFT_PRIOR_DAYS
    for start in range(14, days + 1 - WEEK):
        total += float(excess[start])
        weights += float(weight[start])
        learnt[start + WEEK] = total / weights
    return np.asarray(np.clip(learnt, DRIFT_PRIOR / 4, DRIFT_MOST))
