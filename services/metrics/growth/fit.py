"""Everything that is estimated from a stream: week shape, level, scatter, one forecast per publication, joint credit.

Week shape and level need the effects removed and the effects need the level: they take turns, twice. Then every
publication gets a forecast from its own past alone, so that its effect cannot hide in its own baseline, and the joint
credit is fitted above these forecasts.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth import baseline, credit
from services.metrics.growth.calendar import sums, week_shape
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import WINDOW_H, Floats, Indices
from services.metrics.growth.scatter import Scatter, scatter
from services.metrics.growth.stream import Stream

ROUNDS = 3
FITTED = 60
TAIL_DAYS = 6
DOUBT = 0.5  # of an effect that was only sketched


@dataclass(frozen=True)
class Fit:
    shape: Floats  # exposure of every hour, mean 1
    level: Floats  # per day, joins per unit of exposure
    scatter: Scatter
    forecasts: tuple[baseline.Forecast, ...]
    draws: credit.Draws
    effect: Floats  # expected joins per hour from all publications
    doubt: Floats  # variance of the day's expected joins from all publications
    cut: Floats  # joins of every day, surges cut


def fit(stream: Stream, kinds: Indices) -> Fit:
    """`kinds`: a number for the kind of each publication."""
    hours, daily = stream.hours, stream.hours.by_day(stream.counts)
    shape = np.ones(stream.counts.size)
    effect = np.zeros(stream.counts.size)
    scattered = Scatter.guess(hours.days)
    level = np.zeros(hours.days)
    for turn in range(ROUNDS):
        effect_day = hours.by_day(effect)
        organic = level * hours.by_day(shape) / np.maximum(level * hours.by_day(shape) + effect_day, 1e-9)
        organic = np.where(effect_day > 0, organic, 1.0)
        told = _told(organic)
        clean, level = _clean(daily * organic, hours.by_day(shape), told)
        scale = np.divide(clean, daily, out=np.zeros_like(daily), where=daily > 0)
        dispersion = 1 + float((clean / scattered.frailty).mean())
        shape = week_shape(hours, stream.counts * (scale * told)[hours.day], level * told, dispersion)
        if turn != 1:  # the first is a guess, the last counts
            scattered = scatter(daily, level * hours.by_day(shape) + effect_day, (DOUBT * effect_day) ** 2)
        sizes = credit.sketch(stream, shape, kinds, _evidence(stream, shape, level, effect, scattered))
        effect = _effect(stream, shape, sizes)
    draws = credit.draw(stream, shape, kinds, _evidence(stream, shape, level, effect, scattered))
    effect = _effect(stream, shape, draws.size.mean(0))
    effect_day, doubt = hours.by_day(effect), _doubt(stream, shape, draws)
    scattered = scatter(daily, level * hours.by_day(shape) + effect_day, doubt)
    forecasts = _forecasts(stream, shape, level, scattered, effect, draws.size.mean(0))
    cut = baseline.cut(daily, level * hours.by_day(shape) + effect_day)
    return Fit(shape, level, scattered, forecasts, draws, effect, doubt, cut)


def _evidence(stream: Stream, shape: Floats, level: Floats, effect: Floats, scatter: Scatter) -> credit.Evidence:
    base, frailty = stream.by_block(level[stream.hours.day] * shape), scatter.frailty / scatter.persistence
    joins, mean = stream.by_block(stream.counts), base + stream.by_block(effect)
    return credit.Evidence(np.where(_after_any(stream), joins, baseline.cut(joins, mean)), base, mean, frailty)


def _after_any(stream: Stream) -> NDArray[np.bool_]:
    """Blocks in the window of a publication: only there a surge may be anybody's and is not cut."""
    opened = np.zeros(stream.counts.size + 1, dtype=np.int64)
    np.add.at(opened, np.clip(stream.at, 0, stream.counts.size), 1)
    np.add.at(opened, np.clip(stream.at + WINDOW_H, 0, stream.counts.size), -1)
    return np.asarray(stream.by_block((np.cumsum(opened)[:-1] > 0).astype(np.float64)) > 0)


def _told(organic: Floats) -> Floats:
    """How much days tell of level and week, by the share of their joins that is organic in the worst day of the week
    before: what a kernel puts wrong about a large effect, it puts wrong for days."""
    lately = np.lib.stride_tricks.sliding_window_view(
        np.pad(organic, (TAIL_DAYS, 0), constant_values=1.0), TAIL_DAYS + 1
    )
    return np.asarray(lately.min(1) ** 2)


def _clean(daily: Floats, exposure: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Daily joins with surges cut, and the level around every day; each needs the other."""
    clean = level = daily
    for _ in range(3):
        level = baseline.around(clean, exposure, weight)
        clean = baseline.cut(daily, level * exposure)
    return clean, level


def _effect(stream: Stream, shape: Floats, sizes: Floats) -> Floats:
    hour, which, mass = stream.unit_effects(shape)
    return sums(hour, mass * sizes[which], stream.counts.size)


def _doubt(stream: Stream, shape: Floats, draws: credit.Draws) -> Floats:
    return np.asarray((draws.size @ _kernels(stream, shape).T).var(0))


def _kernels(stream: Stream, shape: Floats) -> Floats:
    """Effects of size 1: days x publications."""
    hour, which, mass = stream.unit_effects(shape)
    cell = stream.hours.day[hour] * len(stream.at) + which
    return sums(cell, mass, stream.hours.days * len(stream.at)).reshape(stream.hours.days, len(stream.at))


def _forecasts(
    stream: Stream, shape: Floats, level: Floats, scatter: Scatter, effect: Floats, sizes: Floats
) -> tuple[baseline.Forecast, ...]:
    """One forecast per publication, from the whole days before its own day."""
    hours = stream.hours
    exposure, joins = hours.by_day(shape), hours.by_day(stream.counts)
    mean = level * exposure + hours.by_day(effect)
    joins = baseline.cut(joins, mean)
    kernels = _kernels(stream, shape)
    prior = max(float(level.mean()), 1e-4)
    day_start = np.searchsorted(hours.day, np.arange(hours.days))
    ends = np.append(day_start[1:], stream.counts.size)
    middle = (day_start + ends) / 2
    variance = np.maximum(scatter.variance(mean), 0.02)
    known: dict[int, baseline.Forecast] = {}
    for at in stream.at.tolist():
        if at not in known:
            known[at] = _forecast_at(
                min(max(at, 0), stream.counts.size),
                stream,
                shape,
                prior,
                sizes,
                (exposure, joins, variance, middle, kernels),
            )
    return tuple(known[at] for at in stream.at.tolist())


def _forecast_at(
    at: int,
    stream: Stream,
    shape: Floats,
    prior: float,
    sizes: Floats,
    days: tuple[Floats, Floats, Floats, Floats, Floats],
) -> baseline.Forecast:
    exposure, joins, variance, middle, kernels = days
    last = int(stream.hours.day[at]) if at < stream.counts.size else stream.hours.days
    first = max(last - baseline.MEMORY_DAYS, 0)
    past = slice(first, last)
    earlier = np.flatnonzero((stream.at < at) & (stream.at > at - 24 * baseline.MEMORY_DAYS - REACH_H))
    older, earlier = earlier[:-FITTED], earlier[-FITTED:]  # where there are very many, the older ones as credited
    return baseline.forecast(
        joins[past] - kernels[past][:, older] @ sizes[older],
        exposure[past],
        (at - middle[past]) / 24,
        variance[past],
        kernels[past][:, earlier],
        prior,
    )
