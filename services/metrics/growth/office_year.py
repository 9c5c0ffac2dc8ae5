"""The Japanese office year: transfer season, public holidays, Golden Week, Obon, New Year, and what they do to joins.

A season multiplies the exposure of a day. Its factor is a prior, scaled by how far the stream keeps Japanese nights (a
stream that does not sleep while Japan sleeps does not keep its holidays either), which the stream's own past moves.
"""

from datetime import date, timedelta
from enum import IntEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth.holidays_of_japan import holidays_of
from services.metrics.growth.model import Floats

EPOCH = date(1970, 1, 1)
SUNDAY = 6
ASLEEP = slice(1, 6)  # hours of the night
SEASON_DOUBT = 0.3**2  # prior relative variance of a season's factor
# A day off is compared with days around it; the four weeks of the transfer season look like growth, so they teach less.
SEASON_PRIOR = np.array([1.0, 8.0, 8.0, 8.0, 100.0])  # in joins, in the order of `Season`


class Season(IntEnum):
    ORDINARY = 0
    HOLIDAY = 1  # public holidays, and all days of Golden Week
    OBON = 2  # 13-16 August
    NEW_YEAR = 3  # 29 December - 3 January
    TRANSFER = 4  # 25 March - 21 April: most offices move people on 1 April


SEASONS = len(Season)
LESS_THAN_SUNDAY = {Season.HOLIDAY: 0.85, Season.OBON: 0.95, Season.NEW_YEAR: 0.6}
TRANSFER_RISE = 1.08


def seasons(first_day: int, days: int) -> NDArray[np.int64]:
    """The season of `days` days from `first_day` (days since 1970-01-01, Asia/Tokyo)."""
    first = EPOCH + timedelta(days=first_day)
    last = first + timedelta(days=days - 1)
    found = np.zeros(days, dtype=np.int64)
    for year in range(first.year, last.year + 1):
        for day, season in _special_days(year):
            at = day - first_day
            if 0 <= at < days:
                found[at] = season
    return found


@cache
def _special_days(year: int) -> tuple[tuple[int, Season], ...]:
    """Days since 1970 of a year that are not ordinary."""
    found = dict.fromkeys(_span(date(year, 3, 25), date(year, 4, 21)), Season.TRANSFER)
    found |= dict.fromkeys(_span(date(year, 8, 13), date(year, 8, 16)), Season.OBON)
    found |= {(day - EPOCH).days: Season.HOLIDAY for day in holidays_of(year)}
    found |= dict.fromkeys(_span(date(year, 4, 29), date(year, 5, 5)), Season.HOLIDAY)
    found |= dict.fromkeys(_span(date(year, 1, 1), date(year, 1, 3)), Season.NEW_YEAR)
    found |= dict.fromkeys(_span(date(year, 12, 29), date(year, 12, 31)), Season.NEW_YEAR)
    return tuple(found.items())


def _span(first: date, last: date) -> range:
    return range((first - EPOCH).days, (last - EPOCH).days + 1)


def rhythm(hour: Floats) -> Floats:
    """How far a stream keeps Japanese nights, 0-1, from its factors of the hours of a day (..., 24)."""
    return np.asarray(np.clip(1.2 - 1.5 * hour[..., ASLEEP].mean(-1), 0.0, 1.0))


def prior_factor(weekday: Floats, rhythm: Floats) -> Floats:
    """What a season does to a day before the stream is asked: (..., 7 weekdays, SEASONS).

    `weekday`: factors of the weekdays (..., 7). A day off is like a Sunday or less.
    """
    factor = np.ones((*weekday.shape, SEASONS))
    like_sunday = np.minimum(weekday[..., SUNDAY, None] / weekday, 1.0)
    for season, less in LESS_THAN_SUNDAY.items():
        factor[..., season] = like_sunday * less
    factor[..., Season.TRANSFER] = TRANSFER_RISE
    return np.asarray(factor ** np.asarray(rhythm)[..., None, None])


def learnt(seen: Floats, expected: Floats, dispersion: Floats | float, rhythm: Floats) -> Floats:
    """How a stream's own seasons differ from the prior: a factor shrunk to 1, 1 for ordinary days (..., SEASONS)."""
    factor = (np.maximum(seen, 0.0) / dispersion + SEASON_PRIOR) / (expected / dispersion + SEASON_PRIOR)
    factor[..., Season.ORDINARY] = 1.0
    return np.asarray(factor ** np.asarray(rhythm)[..., None])


def doubt(expected: Floats, dispersion: Floats | float, rhythm: Floats) -> Floats:
    """Relative variance of a season's factor, as far as the stream keeps it (..., SEASONS)."""
    variance = np.asarray(rhythm)[..., None] / (expected / dispersion + 1 / SEASON_DOUBT)
    variance[..., Season.ORDINARY] = 0.0
    return np.asarray(variance)
