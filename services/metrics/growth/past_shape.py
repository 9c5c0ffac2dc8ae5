"""The shape of a week and of the office year as it was known at the start of each day, from the days before alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth import office_year
from services.metrics.growth.baseline import DISCOUNT, cut
from services.metrics.growth.calendar import HOUR_PRIOR, WEEKDAY_PRIOR
from services.metrics.growth.model import Floats
from services.metrics.growth.stream import Stream
from services.metrics.growth.youth import FIRST_DAYS

GUESSED_FRAILTY = 20.0


@dataclass(frozen=True)
class Days:
    """The joins of a stream as days x 24; hours outside the stream are 0 and not `known`."""

    counts: Floats
    known: Floats
    weekday: NDArray[np.int64]
    season: NDArray[np.int64]

    @classmethod
    def of(cls, stream: Stream) -> "Days":
        hours = stream.hours
        cell = hours.day * 24 + hours.hour
        counts, known = np.zeros(hours.days * 24), np.zeros(hours.days * 24)
        counts[cell], known[cell] = stream.counts, 1.0
        first = int(hours.weekday[0])
        weekday = (first + np.arange(hours.days)) % 7
        return cls(counts.reshape(-1, 24), known.reshape(-1, 24), weekday, hours.season_of_day)


@dataclass(frozen=True)
class Shape:
    """Row d of each is what was known at the start of day d: factors of weekdays (7), hours (24), seasons
    (7 x SEASONS), and the relative variance of seasons (SEASONS)."""

    weekday: Floats
    hour: Floats
    season: Floats
    doubt: Floats


def before(values: Floats) -> Floats:
    """Running sums along the first axis, each without its own row; one row more."""
    return np.concatenate((np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)))


def discounted(values: Floats, memory: float = DISCOUNT) -> Floats:
    total, sums = 0.0, [0.0]
    for value in values.tolist():
        total = memory * (total + value)
        sums.append(total)
    return np.array(sums)


def shape_of(days: Days) -> Shape:
    """Factors of hours, weekdays and seasons from the days before; surges are scaled down to what is usual."""
    whole, joins = days.known.mean(1), days.counts.sum(1)
    usual = (discounted(joins)[:-1] + 0.5) / (discounted(whole)[:-1] + 0.5 / max(joins[:FIRST_DAYS].mean(), 0.5))
    clean = cut(joins, usual)
    kept = clean / np.maximum(joins, 1.0)
    usual = (discounted(clean)[:-1] + 0.5) / (discounted(whole)[:-1] + 0.5 / max(clean[:FIRST_DAYS].mean(), 0.5))
    seen, due = before(days.counts * kept[:, None]), before(days.known * (usual / 24)[:, None])
    hour = (seen + HOUR_PRIOR) / (due * (seen.sum(1) / np.maximum(due.sum(1), 1e-9))[:, None] + HOUR_PRIOR)
    hour /= hour.mean(1, keepdims=True)
    dispersion = (1 + before(usual)[:, None] / np.arange(1, len(joins) + 2)[:, None] / GUESSED_FRAILTY)[:, 0]
    on = np.eye(7)[days.weekday] * (days.season == 0)[:, None]
    seen, due = (before(on * values[:, None]) / dispersion[:, None] for values in (clean, usual * whole))
    weekday = (seen + WEEKDAY_PRIOR) / (due + WEEKDAY_PRIOR)
    weekday /= weekday.mean(1, keepdims=True)
    rhythm = office_year.rhythm(hour)
    prior = office_year.prior_factor(weekday, rhythm)
    rows = np.arange(len(joins))
    expected = usual * whole * weekday[rows, days.weekday] * prior[rows, days.weekday, days.season]
    on = np.eye(office_year.SEASONS)[days.season]
    seen, due = before(on * clean[:, None]), before(on * expected[:, None])
    season = prior * office_year.learnt(seen, due, dispersion[:, None], rhythm)[:, None, :]
    return Shape(weekday, hour, season, office_year.doubt(due, dispersion[:, None], rhythm))
