"""The Japanese office calendar in the exposure: what is a holiday, and whom it touches."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from kairan.year.cascade import HOUR_SHAPE, WEEKDAY_SHAPE
from services.metrics.growth.calendar import hours_from, week_shape
from services.metrics.growth.foreknowledge import foreknow
from services.metrics.growth.holidays_of_japan import from_library, holidays_of
from services.metrics.growth.model import Floats, Joins
from services.metrics.growth.office_year import EPOCH, Season, prior_factor, rhythm, seasons
from services.metrics.growth.stream import Stream

START = datetime(2021, 1, 3, 15, tzinfo=UTC)  # Monday 4 January 2021, 00:00 in Japan


def day(month: int, of_month: int, year: int = 2021) -> int:
    return (date(year, month, of_month) - date(2021, 1, 4)).days


def test_the_table_of_holidays_is_the_library_s() -> None:
    assert all(holidays_of(year) == from_library(year) for year in range(1999, 2053, 3))


def test_days_have_their_season() -> None:
    of = dict(enumerate(seasons((date(2021, 1, 4) - EPOCH).days, 400)))
    assert of[day(1, 11)] == of[day(4, 30)] == of[day(5, 3)] == of[day(11, 23)] == Season.HOLIDAY
    assert of[day(8, 13)] == of[day(8, 16)] == Season.OBON
    assert of[day(12, 29)] == of[day(1, 3, 2022)] == Season.NEW_YEAR
    assert of[day(4, 1)] == Season.TRANSFER
    assert of[day(6, 15)] == of[day(1, 4, 2022)] == Season.ORDINARY


def office(per_day: float, factor: Floats, asleep: bool = True) -> Stream:
    rng = np.random.default_rng(5)
    hours = np.repeat(factor, 24) * per_day / 24
    if asleep:
        hours *= np.tile(HOUR_SHAPE / HOUR_SHAPE.mean(), len(factor))
        hours *= np.repeat(np.resize(WEEKDAY_SHAPE / WEEKDAY_SHAPE.mean(), len(factor)), 24)
    counts = rng.poisson(hours)
    return Stream.of(Joins(START, counts), [], START + timedelta(hours=len(counts)))


def test_a_season_is_expected_before_it_was_ever_seen() -> None:
    stream = office(60.0, np.ones(150))
    past = foreknow(stream)
    first, weekday = day(2, 11), 3  # one holiday was seen before, and it was like any other day
    normal = past.weekday[first, weekday]
    off = normal * past.season[first, weekday, Season.NEW_YEAR]
    assert off <= 0.75 * past.weekday[first, 6] < 0.75 * normal
    assert normal * past.season[first, weekday, Season.HOLIDAY] < 0.9 * normal


def test_a_stream_that_does_not_sleep_in_japan_keeps_no_holidays() -> None:
    past = foreknow(office(60.0, np.ones(150), asleep=False))
    assert past.season[day(4, 29), 3, Season.HOLIDAY] == pytest.approx(1.0)
    assert past.season_doubt[day(4, 29)].max() == 0


def test_a_stream_teaches_its_own_holidays() -> None:
    factor = np.where(seasons((date(2021, 1, 4) - EPOCH).days, 360) == Season.HOLIDAY, 0.1, 1.0)
    past = foreknow(office(200.0, factor))
    before, after = (past.season[at, 1, Season.HOLIDAY] for at in (day(2, 1), day(11, 20)))
    assert after < 0.6 * before


def test_holidays_do_not_lower_the_level() -> None:
    factor = np.where(seasons((date(2021, 1, 4) - EPOCH).days, 150) == Season.HOLIDAY, 0.6, 1.0)
    past = foreknow(office(500.0, factor))
    assert past.level[day(5, 6)] == pytest.approx(past.level[day(4, 28)], rel=0.08)


def test_the_shape_of_a_year_knows_holidays_too() -> None:
    stream = office(60.0, np.ones(150))
    level = np.full(stream.hours.days, 60.0 / 24)
    shape = stream.hours.by_day(week_shape(stream.hours, stream.counts, level, 2.0)) / 24
    assert shape[day(6, 1)] == pytest.approx(1.15 * 7 / WEEKDAY_SHAPE.sum() * 1.0, rel=0.12)
    hours = hours_from(START, 24 * 10)
    assert np.allclose(week_shape(hours, np.zeros(240), np.zeros(hours.days), 1.0)[24:48], 1.0)


def test_rhythm_is_how_quiet_the_night_is() -> None:
    assert rhythm(HOUR_SHAPE / HOUR_SHAPE.mean()) > 0.9
    assert rhythm(np.ones(24)) == 0
    assert np.allclose(prior_factor(np.ones(7), np.array(0.0)), 1.0)
