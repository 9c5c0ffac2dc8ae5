"""When people join: the hours of a stream on the Asia/Tokyo calendar, and the shape of a week (mean 1)."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.metrics.growth import office_year
from services.metrics.growth.model import Floats

JST_OFFSET_H = 9  # Japan has no daylight saving time, so a day of the stream is always 24 hours
WEEKDAY_PRIOR = 16.0  # a factor's prior standard deviation is 1 / sqrt(prior): weekdays differ by about 25 %,
HOUR_PRIOR = 4.0  # hours of the day by about 50 %
SWEEPS = 3


@dataclass(frozen=True)
class Hours:
    """Of every hour of a stream: its day (0 is the first, maybe cut), weekday (0 is Monday), hour of the day."""

    first_hour: int  # hours since 1970-01-01T00:00Z of hour 0
    day: NDArray[np.int64]
    weekday: NDArray[np.int64]
    hour: NDArray[np.int64]

    @property
    def days(self) -> int:
        return int(self.day[-1]) + 1

    @cached_property
    def season_of_day(self) -> NDArray[np.int64]:
        """Season (`office_year.Season`) of every day of the stream."""
        return self.seasons(self.days)

    def seasons(self, days: int) -> NDArray[np.int64]:
        """Season of `days` days from the stream's first, which may go on after its end."""
        return office_year.seasons((self.first_hour + JST_OFFSET_H) // 24, days)

    def by_day(self, values: Floats) -> Floats:
        """Sums of hourly values per day."""
        return sums(self.day, values, self.days)


def hours_from(start: datetime, count: int) -> Hours:
    first = int(start.timestamp()) // 3600
    local = first + JST_OFFSET_H + np.arange(count, dtype=np.int64)
    day = local // 24
    return Hours(first, day - day[0], (day + 3) % 7, local % 24)


def week_shape(hours: Hours, counts: Floats, level: Floats, dispersion: float) -> Floats:
    """Exposure of every hour (mean 1 over an ordinary week): weekday, hour of the day and season, all shrunk.

    `level`: expected joins per hour at exposure 1, per day. `dispersion`: variance over mean of a day's count, by which
    the evidence for a factor is divided. Seasons are those of the Japanese office year, as far as the stream keeps
    Japanese nights (`office_year.rhythm`). The transfer season is left to `level`, which sees both of its sides.
    """
    weekday, hour, season = np.ones(7), np.ones(24), np.ones(counts.size)
    season_of = hours.season_of_day[hours.day]
    season_of = np.where(season_of == office_year.Season.TRANSFER, office_year.Season.ORDINARY, season_of)
    for _ in range(SWEEPS):
        base = level[hours.day] * season
        by_weekday, by_hour = sums(hours.weekday, counts, 7), sums(hours.hour, counts, 24)
        weekday = _factors(by_weekday, sums(hours.weekday, base * hour[hours.hour], 7), WEEKDAY_PRIOR, dispersion)
        hour = _factors(by_hour, sums(hours.hour, base * weekday[hours.weekday], 24), HOUR_PRIOR, 1.0)
        if season_of.any():
            rhythm = office_year.rhythm(hour)
            prior = office_year.prior_factor(weekday, rhythm)
            prior_of_hour = prior[hours.weekday, season_of]
            expected = level[hours.day] * weekday[hours.weekday] * hour[hours.hour] * prior_of_hour
            seen, due = (sums(season_of, values, office_year.SEASONS) for values in (counts, expected))
            season = prior_of_hour * office_year.learnt(seen, due, dispersion, rhythm)[season_of]
    return weekday[hours.weekday] * hour[hours.hour] * season


def sums(index: NDArray[np.int64], values: Floats, length: int) -> Floats:
    """Sums of the values that share an index."""
    return np.asarray(np.bincount(index, values, length), dtype=np.float64)


def _factors(seen: Floats, expected: Floats, prior: float, dispersion: float) -> Floats:
    factors = (np.maximum(seen, 0) / dispersion + prior) / (expected / dispersion + prior)
    return np.asarray(factors / factors.mean())
