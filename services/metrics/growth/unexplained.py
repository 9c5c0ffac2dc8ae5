"""Spikes that no listed publication explains: days far above what baseline and credited effects expect.

For every first day and length up to 5 days, and every size of a grid, the likelihood ratio of a spike against none (day
counts negative binomial, the level's error integrated over). Their mean over all of a stream is an e-value for "a spike
somewhere", so that a stream without any shows one with a chance of at most `CHANCE`.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from services.metrics.growth import size
from services.metrics.growth.foresight import Mixture
from services.metrics.growth.model import Flags, Floats, Spike
from services.metrics.growth.stream import Stream

CHANCE = 0.02
LENGTHS = 5
SIZES = np.array([0.7, 1.5, 3.0, 6.0, 15.0, 40.0])  # joins above the mean, in means
LEVEL_ERROR = np.array([0.85, 1.0, 1.18])
EFFECT_ERROR = 0.5  # relative, of what is credited to publications on a day
AROUND_H = 12
MOST = 50  # spikes of one stream


def unexplained(
    stream: Stream, mean: Floats, effect: Floats, frailty: Floats, explained: Flags | None = None
) -> tuple[Spike, ...]:
    """Spikes in order of their start.

    `mean`: expected joins of every hour, with what is credited to publications, `effect`, in it; `frailty`: of every
    day; `explained`: hours that a publication with plain evidence explains, whatever the fit made of them.
    """
    hours = stream.hours
    open_hours = np.ones(stream.counts.size)
    if explained is not None:
        open_hours[explained] = 0.0
    joins, expected = hours.by_day(stream.counts * open_hours), hours.by_day(np.maximum(mean, 1e-9) * open_hours)
    spread = 1 / frailty + (EFFECT_ERROR * hours.by_day(effect * open_hours) / np.maximum(expected, 1e-9)) ** 2
    log_evidence = _by_start_and_length(joins, expected, 1 / spread)
    least = np.log(len(joins) / CHANCE)
    spikes: list[Spike] = []
    while len(spikes) < MOST:
        day, length = np.unravel_index(int(log_evidence.argmax()), log_evidence.shape)
        if log_evidence[day, length] < least:
            break
        first, last = _hours(stream, mean, open_hours, int(day), int(length) + 1)
        spikes.append(_spike(stream, mean, first, last, float(spread[day])))
        touched = slice(min(int(hours.day[first]), int(day)), max(int(hours.day[last - 1]), int(day + length)) + 1)
        for shorter in range(LENGTHS):
            log_evidence[max(touched.start - shorter, 0) : touched.stop, shorter] = -np.inf
    return tuple(sorted(spikes, key=lambda spike: spike.start))


def _by_start_and_length(joins: Floats, expected: Floats, frailty: Floats) -> Floats:
    """ln of the likelihood ratio, a mean over sizes: days x lengths (1 to `LENGTHS` days)."""
    n, k = joins[:, None, None], frailty[:, None, None]
    m = np.maximum(expected, 1e-9)[:, None, None] * LEVEL_ERROR[:, None]
    none = n * np.log(LEVEL_ERROR[:, None]) - (k + n) * np.log1p(m / k)
    some = n * np.log(LEVEL_ERROR[:, None] * (1 + SIZES)) - (k + n) * np.log1p(m * (1 + SIZES) / k)
    days, found = len(joins), np.full((len(joins), LENGTHS), -np.inf)
    for length in range(1, min(LENGTHS, days) + 1):
        above, below = (_sums(values, length) for values in (some, none))
        above, below = (np.logaddexp.reduce(values, axis=1) for values in (above, below))
        ratio = np.logaddexp.reduce(above, axis=1) - np.log(len(SIZES)) - below[:, 0]
        found[: days - length + 1, length - 1] = ratio - np.log(LENGTHS)
    return found


def _sums(values: Floats, length: int) -> Floats:
    running = np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)))
    return np.asarray(running[length:] - running[:-length])


def _hours(stream: Stream, mean: Floats, open_hours: Floats, day: int, length: int) -> tuple[int, int]:
    """First hour and the hour after the last of a spike: the stretch with the largest likelihood ratio."""
    inside = np.flatnonzero((stream.hours.day >= day) & (stream.hours.day < day + length))
    first, last = max(inside[0] - AROUND_H, 0), min(inside[-1] + 1 + 2 * AROUND_H, stream.counts.size)
    counts, expected = stream.counts[inside].sum(), max(float(mean[inside].sum()), 1e-9)
    above = max(0.5 * (counts / expected - 1), 0.3)
    score = np.log1p(above) * stream.counts[first:last] - above * mean[first:last]
    running = np.append(0.0, np.cumsum(np.where(open_hours[first:last] > 0, score, -1e9)))
    rise = running - np.minimum.accumulate(running)
    end = int(rise.argmax())
    start = int(running[: end + 1].argmin())
    return (int(first) + start, int(first) + end) if end > start else (int(inside[0]), int(inside[-1]) + 1)


def _spike(stream: Stream, mean: Floats, first: int, last: int, spread: float) -> Spike:
    observed, expected = stream.counts[first:last].sum(), max(float(mean[first:last].sum()), 1e-9)
    variance = np.array([expected * (1 + 1e-6) + expected**2 * spread])
    base = Mixture(np.array([[expected]]), variance[:, None], np.ones((1, 1)))
    low, high = size.interval(np.array([int(observed)]), base)
    zero = datetime.fromtimestamp(stream.hours.first_hour * 3600, UTC)
    start, end = zero + timedelta(hours=first), zero + timedelta(hours=last)
    return Spike(start, end, round(float(observed) - expected, 2), float(low[0]), float(high[0]))
