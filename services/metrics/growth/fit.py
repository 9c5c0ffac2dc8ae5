"""Everything that is estimated from a stream: week shape, level, scatter, one forecast per publication, joint credit.

Week shape and level need the effects removed and the effects need the level: they take turns, twice. Then every
publication gets a forecast from its own past alone, so that its effect cannot hide in its own baseline, and the joint
credit is fitted above these forecasts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth import baseline, credit
from services.metrics.growth.calendar import sums, week_shape
from services.metrics.growth.gibbs import rng_of
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import WINDOW_H, Floats, Indices
from services.metrics.growth.scatter import Scatter, scatter
from services.metrics.growth.shapes import reshaped
from services.metrics.growth.stream import BLOCKS_A_DAY, Stream, day_sums

ROUNDS = 3
FITTED = 60
TAIL_DAYS = 6
SHAPINGS = 4  # sets of shapes that are drawn; each gets its share of the chains
DOUBT = 0.5  # of an effect that was only sketched


@dataclass(frozen=True)
class Fit:
    stream: Stream  # the one that was given, with the shapes of effects that were found
    shape: Floats  # exposure of every hour, mean 1
    level: Floats  # per day, joins per unit of exposure
    scatter: Scatter
    forecasts: tuple[baseline.Forecast, ...]
    draws: credit.Draws
    free: credit.Free  # with the shapes of the kinds: one that was found makes whatever comes after larger
    effect: Floats  # expected joins per hour from all publications
    doubt: Floats  # variance of the day's expected joins from all publications
    cut: Floats  # joins of every day, surges cut


def fit(stream: Stream, kinds: Indices) -> Fit:
    """`kinds`: a number for the kind of each publication."""
    hours, daily = stream.hours, stream.hours.by_day(stream.counts)
    shape = np.ones(stream.counts.size)
    effect = np.zeros(stream.counts.size)
    usual = stream.mass
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
        given = _evidence(stream, shape, level, effect if turn else None, scattered)
        sizes = credit.sketch(stream, shape, kinds, given)
        found = reshaped(stream, usual, shape, sizes, given)
        if found is not stream:
            stream, sizes = found, credit.sketch(found, shape, kinds, given)
        effect = _effect(stream, shape, sizes)
    given = _evidence(stream, shape, level, effect, scattered)
    free = credit.free(replace(stream, mass=usual), shape, kinds, given)
    shaped = _shaped(stream, usual, shape, sizes, given)
    drawn = [
        credit.draw(one, shape, kinds, given, credit.CHAINS // len(shaped), number) for number, one in enumerate(shaped)
    ]
    draws, stream = credit.Draws.joined(drawn), _together(shaped, drawn)
    effect = _effect(stream, shape, draws.size.mean(0))
    daily_effects = [d.size @ _kernels(one, shape).T for one, d in zip(shaped, drawn, strict=True)]
    effect_day, doubt = hours.by_day(effect), np.asarray(np.concatenate(daily_effects).var(0))
    scattered = scatter(daily, level * hours.by_day(shape) + effect_day, doubt)
    forecasts = _forecasts(stream, shape, level, scattered, effect, draws.size.mean(0))
    cut = baseline.cut(daily, level * hours.by_day(shape) + effect_day)
    return Fit(stream, shape, level, scattered, forecasts, draws, free, effect, doubt, cut)


def _evidence(stream: Stream, shape: Floats, level: Floats, effect: Floats | None, scatter: Scatter) -> credit.Evidence:
    """`effect`: None where nothing is known yet: then each day's surplus stands for it."""
    base, frailty = stream.by_block(level[stream.hours.day] * shape), scatter.frailty / scatter.persistence
    joins, after = stream.by_block(stream.counts), _after_any(stream)
    mean = base + stream.by_block(effect) if effect is not None else np.where(after, _as_high(joins, base), base)
    return credit.Evidence(np.where(after, joins, baseline.cut(joins, mean)), base, mean, frailty)


def _as_high(joins: Floats, base: Floats) -> Floats:
    """The base, on each day as many times as there were more joins than it expects."""
    times = day_sums(joins) / np.maximum(day_sums(base), 1e-9)
    return np.asarray(base * np.repeat(np.maximum(times, 1.0), BLOCKS_A_DAY))


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


def _shaped(stream: Stream, usual: Floats, shape: Floats, sizes: Floats, given: credit.Evidence) -> list[Stream]:
    """The stream with its most likely shapes, and with others that may be; the first alone where they are the same."""
    rng = rng_of(stream.hours.first_hour + stream.at)
    others = [reshaped(stream, usual, shape, sizes, given, rng) for _ in range(SHAPINGS - 1)]
    return [stream] if all(one is stream for one in others) else [stream, *others]


def _together(shaped: Sequence[Stream], drawn: Sequence[credit.Draws]) -> Stream:
    """The stream with the shape of each publication's mean effect."""
    size = np.array([d.size.mean(0) for d in drawn]) + 1e-9
    mass = sum(s[:, None] * one.mass for s, one in zip(size, shaped, strict=True)) / size.sum(0)[:, None]
    return replace(shaped[0], mass=np.asarray(mass))


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
