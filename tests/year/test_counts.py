"""The simulator of counts keeps its identities: every join has one root, means are what was asked, truth adds up."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairan.year.counts import Cause, Shift, World
from kairan.year.delays import Delay, Delayed, Exponential, PowerLaw, Square
from kairan.year.office import Office

LAWS: tuple[Delay, ...] = (
    Exponential(24.0),
    Square(72),
    PowerLaw(),
    Delayed(36, Exponential(10.0)),
    Delayed(24, PowerLaw(2.0, 3.0, 200)),
)


def seeded(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_law_of_delay_has_unit_mass_and_its_beginning_does_not_depend_on_the_horizon(law: Delay) -> None:
    mass = law.mass(5000)
    assert mass.shape == (5000,)
    assert (mass >= 0).all()
    assert mass.sum() == pytest.approx(1.0, abs=1e-9)
    np.testing.assert_allclose(law.mass(30), mass[:30])
    assert law.mass(0).shape == (0,)


@given(
    per_day=st.sampled_from([0.5, 7.0, 60.0]),
    referrals=st.sampled_from([0.0, 0.15, 0.3]),
    at=st.integers(0, 20 * 24 - 1),
    law=st.sampled_from(LAWS),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=40)
def test_every_cause_has_its_column_and_none_acts_before_its_hour(
    per_day: float, referrals: float, at: int, law: Delay, seed: int
) -> None:
    world = World(20, per_day, referrals=referrals)
    joins = world.joins([Cause(at, 50.0, delay=law), Cause(at, 0.0)], seeded(seed))
    assert joins.shape == (20 * 24, 3)
    assert joins.dtype == np.int64
    assert (joins >= 0).all()
    assert not joins[:at, 1].any()
    assert not joins[:, 2].any()
    np.testing.assert_array_equal(joins, world.joins([Cause(at, 50.0, delay=law), Cause(at, 0.0)], seeded(seed)))


@pytest.mark.parametrize("referrals", [0.0, 0.15, 0.3])
def test_referrals_multiply_a_cause_and_leave_the_organic_mean_alone(referrals: float) -> None:
    world = World(350, 4000.0, day_variance=0.001, referrals=referrals)
    joins = world.joins([Cause(0, 400_000.0), Cause(0, 400_000.0, alone=True)], seeded(1)).sum(0)
    assert joins[0] == pytest.approx(350 * 4000, rel=0.01)
    direct = Cause(0, 400_000.0).rate(world.shape).sum()
    assert joins[1] == pytest.approx(direct / (1 - referrals), rel=0.01)
    assert joins[2] == pytest.approx(direct, rel=0.01)


def test_a_cause_spread_over_whole_weeks_brings_what_it_is_expected_to() -> None:
    brought = [World(21).joins([Cause(30, 100.0, evenly_h=336, alone=True)], seeded(n))[:, 1].sum() for n in range(300)]
    assert np.mean(brought) == pytest.approx(100.0, abs=4 * 10 / np.sqrt(300))


def test_days_differ_as_much_and_drag_one_another_along_as_much_as_asked() -> None:
    for correlation in (0.0, 0.6):
        world = World(3500, 24e4, day_variance=0.05, day_correlation=correlation, referrals=0.0)
        days = world.joins([], seeded(2))[:, 0].reshape(-1, 24).sum(1) / world.shape.reshape(-1, 24).sum(1) / 1e4
        assert days.mean() == pytest.approx(1.0, abs=0.03)
        assert days.var() == pytest.approx(0.05, rel=0.15)
        logs = np.log(days)
        assert np.corrcoef(logs[1:], logs[:-1])[0, 1] == pytest.approx(correlation, abs=0.06)


def test_no_day_variance_leaves_poisson_noise_alone() -> None:
    days = World(3500, 100.0, day_variance=0.0, referrals=0.0).joins([], seeded(3))[:, 0].reshape(-1, 168).sum(1)
    assert days.var() / days.mean() == pytest.approx(1.0, abs=0.25)


def test_shifts_growth_and_drift_change_the_level() -> None:
    quiet = World(364, 24_000.0, day_variance=0.0, referrals=0.0)
    shifted = World(364, 24_000.0, day_variance=0.0, referrals=0.0, shifts=(Shift(182 * 24, 1.5),))
    joins = shifted.joins([], seeded(4))[:, 0]
    assert joins[182 * 24 :].sum() / joins[: 182 * 24].sum() == pytest.approx(1.5, rel=0.01)
    grown = World(364, 24_000.0, growth=1.0, day_variance=0.0, referrals=0.0).joins([], seeded(5))[:, 0]
    weeks = grown.reshape(52, 168).sum(1)
    assert np.log(weeks[-1] / weeks[0]) == pytest.approx(51 * 7 / 365, abs=0.02)
    drifting = World(364, 24_000.0, day_variance=0.0, referrals=0.0, drift=0.02)
    steps = [_daily_log(drifting, n) - _daily_log(quiet, n) for n in range(20)]
    assert np.std(np.diff(steps, axis=1)) == pytest.approx(0.02, rel=0.25)


def _daily_log(world: World, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weeks = world.joins([], seeded(seed))[:, 0].reshape(-1, 24).sum(1)
    return np.asarray(np.log(weeks))


def test_the_week_begins_with_the_start_whatever_weekday_it_is() -> None:
    monday, thursday = World(14).shape, World(14, start=date(2020, 1, 9)).shape
    np.testing.assert_array_equal(monday[72 : 72 + 168], thursday[:168])
    assert thursday[:168].mean() == pytest.approx(1.0)


def test_the_office_rests_and_moves_on_japanese_days() -> None:
    office = Office(holiday=0.6, golden_week=0.5, obon=0.7, new_year=0.3, transfer=1.5)
    factors = office.factors(date(2024, 1, 1), 366)

    def on(month: int, day: int) -> float:
        return float(factors[(date(2024, month, day) - date(2024, 1, 1)).days])

    assert on(1, 2) == on(12, 29) == 0.3
    assert on(1, 8) == 0.6  # Coming of Age Day
    assert on(2, 14) == 1.0
    assert on(5, 3) == 0.5
    assert on(8, 14) == 0.7
    assert on(4, 1) == 1.5
    assert 1.0 < on(3, 25) < on(4, 1) > on(4, 20) > 1.0
    assert on(7, 1) == 1.0


def test_a_day_between_two_days_off_is_half_a_holiday() -> None:
    office = Office(holiday=0.6, golden_week=0.5)
    assert office.factors(date(2009, 9, 22), 1)[0] == 0.6  # between two holidays: the law makes it one
    assert office.factors(date(2023, 11, 24), 1)[0] == pytest.approx(0.8)  # Friday after a holiday
    assert office.factors(date(2023, 11, 22), 1)[0] == 1.0  # Wednesday before it
