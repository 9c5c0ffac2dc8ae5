"""Everything that is estimated from a stream: week shape, level, scatter, one forecast per publication, joint credit.

Week shape and level need the effects removed and the effects need the level: they take turns, twice. Then every
publication gets a forecast from its own past alone, so that its effect cannot hide in its own baseline, and the joint
credit is fitted above these forecasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.metrics.growth import baseline, credit
from services.metrics.growth.calendar import sums, week_shape
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import Floats
from services.metrics.growth.stream import Stream

BLOCK_H = 6
TREND_DAYS = 7.0  # a trend is not carried further than a window


@dataclass(frozen=True)
class Fit:
    shape: Floats  # exposure of every hour, mean 1
    level: Floats  # per day, joins per unit of exposure
    scatter: baseline.Scatter
    forecasts: tuple[baseline.Forecast, ...]
    credit: credit.Credit
    effect: Floats  # credited joins per hour, all publications


def fit(stream: Stream) -> Fit:
    hours, daily = stream.hours, stream.hours.by_day(stream.counts)
    shape = np.ones(stream.counts.size)
    effect = np.zeros(stream.counts.size)
    credited = credit.Credit(np.zeros(len(stream.at)), np.zeros(len(stream.at)))
    scatter = baseline.Scatter.guess(hours.days)
    level = np.zeros(hours.days)
    for _ in range(2):
        effect_day = hours.by_day(effect)
        clean, level = _clean(np.maximum(daily - effect_day, 0.0), hours.by_day(shape))
        scale = np.divide(clean, daily, out=np.zeros_like(daily), where=daily > 0)
        dispersion = 1 + float((clean / scatter.frailty).mean())
        shape = week_shape(hours, stream.counts * scale[hours.day], level, dispersion)
        scatter = baseline.scatter(daily, level * hours.by_day(shape) + effect_day)
        credited = _credit(stream, shape, level[hours.day] * shape, effect, scatter, level)
        effect = _effect(stream, shape, credited)
    forecasts = _forecasts(stream, shape, level, scatter, effect)
    path = _path(stream, shape, level, forecasts)
    credited = _credit(stream, shape, path, effect, scatter, level)
    return Fit(shape, level, scatter, forecasts, credited, _effect(stream, shape, credited))


def _clean(daily: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Daily joins with surges cut, and the level around every day; each needs the other."""
    clean = level = daily
    for _ in range(3):
        level = baseline.around(clean, exposure)
        clean = baseline.cut(daily, level * exposure)
    return clean, level


def _effect(stream: Stream, shape: Floats, credited: credit.Credit) -> Floats:
    hour, which, mass = stream.unit_effects(shape)
    return sums(hour, mass * credited.size[which], stream.counts.size)


def _credit(
    stream: Stream, shape: Floats, path: Floats, effect: Floats, scatter: baseline.Scatter, level: Floats
) -> credit.Credit:
    """Joint fit above `path` (joins expected per hour without any publication), in blocks of 6 hours."""
    if not len(stream.at):
        return credit.Credit(np.zeros(0), np.zeros(0))
    blocks = -(-stream.counts.size // BLOCK_H)
    block = np.arange(stream.counts.size) // BLOCK_H
    hour, which, mass = stream.unit_effects(shape)
    kernels = sums((hour // BLOCK_H) * len(stream.at) + which, mass, blocks * len(stream.at))
    kernels = kernels.reshape(blocks, len(stream.at))
    near = kernels.any(1)
    mean = sums(block, path + effect, blocks)
    surplus = sums(block, stream.counts - path, blocks)
    on = stream.hours.day[::BLOCK_H]
    variance = scatter.persistence[on] * (mean + mean**2 / scatter.frailty[on]) + 0.02
    daily = 24 * level[stream.day_of_publication]
    return credit.fit(surplus[near], variance[near], kernels[near], daily, stream.at)


def _forecasts(
    stream: Stream, shape: Floats, level: Floats, scatter: baseline.Scatter, effect: Floats
) -> tuple[baseline.Forecast, ...]:
    """One forecast per publication, from the whole days before its own day."""
    hours = stream.hours
    exposure, joins = hours.by_day(shape), hours.by_day(stream.counts)
    mean = level * exposure + hours.by_day(effect)
    joins = baseline.cut(joins, mean)
    hour, which, mass = stream.unit_effects(shape)
    kernels = sums(hours.day[hour] * len(stream.at) + which, mass, hours.days * len(stream.at))
    kernels = kernels.reshape(hours.days, len(stream.at))
    prior = max(float(level.mean()), 1e-4)
    day_start = np.searchsorted(hours.day, np.arange(hours.days))
    ends = np.append(day_start[1:], stream.counts.size)
    middle = (day_start + ends) / 2
    variance = np.maximum(scatter.variance(mean), 0.02)
    known: dict[int, baseline.Forecast] = {}
    for at in stream.at.tolist():
        if at not in known:
            known[at] = _forecast_at(
                min(max(at, 0), stream.counts.size), stream, shape, prior, (exposure, joins, variance, middle, kernels)
            )
    return tuple(known[at] for at in stream.at.tolist())


def _forecast_at(
    at: int, stream: Stream, shape: Floats, prior: float, days: tuple[Floats, Floats, Floats, Floats, Floats]
) -> baseline.Forecast:
    exposure, joins, variance, middle, kernels = days
    last = int(stream.hours.day[at]) if at < stream.counts.size else stream.hours.days
    first = max(last - baseline.MEMORY_DAYS, 0)
    past = slice(first, last)
    earlier = (stream.at < at) & (stream.at > at - 24 * baseline.MEMORY_DAYS - REACH_H)
    return baseline.forecast(
        joins[past], exposure[past], (at - middle[past]) / 24, variance[past], kernels[past][:, earlier], prior
    )


def _path(stream: Stream, shape: Floats, level: Floats, forecasts: Sequence[baseline.Forecast]) -> Floats:
    """Expected joins of every hour without any publication: the forecast of the latest publication up to that hour."""
    path = level[stream.hours.day] * shape
    nexts = [*stream.at[1:].tolist(), stream.counts.size]
    for at, foresight, end in zip(stream.at.tolist(), forecasts, nexts, strict=False):
        first, last = max(at, 0), min(stream.counts.size, end, at + REACH_H)
        if first < last:
            days_on = np.minimum(np.arange(first - at, last - at) / 24, TREND_DAYS)
            path[first:last] = foresight.mean(shape[first:last], days_on)
    return path
