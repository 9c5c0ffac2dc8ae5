"""Placebos and spikes nobody explains: where they stand, what they change, what they find."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from kairan.year.counts import Cause, World
from services.metrics.growth.audit import ENOUGH_H, YEAR_H, Thresholds, placebos
from services.metrics.growth.evidence import ALARM
from services.metrics.growth.fit import fit
from services.metrics.growth.model import WINDOW_H, Floats, Joins, Publication, Spike
from services.metrics.growth.stream import Stream
from services.metrics.growth.unexplained import unexplained

START = datetime(2019, 6, 2, 15, tzinfo=UTC)


def stream_of(counts: Floats, at: list[int]) -> Stream:
    known = [Publication(f"p{i}", "article", START + timedelta(hours=hour)) for i, hour in enumerate(at)]
    return Stream.of(Joins(START, counts.astype(np.int64)), known, START + timedelta(hours=counts.size))


@pytest.mark.parametrize("publications", [0, 1, 12, 56])
def test_a_year_has_two_hundred_placebos_in_whole_windows(publications: int) -> None:
    at = np.linspace(56 * 24, 355 * 24, publications).astype(int).tolist()
    found = placebos(stream_of(np.zeros(365 * 24), at))
    assert 200 <= len(found) <= 240
    assert found.min() >= ENOUGH_H
    assert found.max() + WINDOW_H <= 365 * 24
    assert (np.diff(found) > 0).all()


def test_placebos_stay_away_from_publications_where_they_can() -> None:
    found = placebos(stream_of(np.zeros(365 * 24), [4000, 6000]))
    assert min(abs(found - 4000).min(), abs(found - 6000).min()) >= WINDOW_H


def test_a_shorter_stream_has_the_first_placebos_of_a_longer_one() -> None:
    at = [1400, 2000, 2100, 4000]
    longer = placebos(stream_of(np.zeros(6000), at))
    for length in (1000, 1500, 2500, 4100):
        shorter = placebos(stream_of(np.zeros(length), [hour for hour in at if hour < length]))
        assert shorter.tolist() == longer[longer + WINDOW_H <= length].tolist()


def test_the_threshold_rises_only_where_false_alarms_are_too_many() -> None:
    rng = np.random.default_rng(2)
    ends = np.arange(2000, 2000 + 30 * 220, 30)
    few = np.where(np.arange(220) % 100 == 50, 6.0, rng.uniform(0, 3, 220))
    assert Thresholds.of(ends, few).audit().threshold == ALARM
    many = np.where(np.arange(220) % 12 == 11, 5.0 + np.arange(220) / 50, 1.0)
    raised = Thresholds.of(ends, many)
    assert raised.audit().alarms == 18
    assert raised.audit().threshold > 1000
    assert np.exp(raised.at(np.array([1999]))[0]) == pytest.approx(ALARM)
    assert raised.at(ends[-1:])[0] > raised.at(ends[60:61])[0] >= np.log(ALARM)


def test_windows_that_overlap_are_one_alarm() -> None:
    ends = np.arange(2000, 2000 + 30 * 250, 30)
    one_surge = np.where((np.arange(250) >= 90) & (np.arange(250) < 98), 40.0, 1.0)  # eight placebos around it
    audit = Thresholds.of(ends, one_surge).audit()
    assert audit.alarms == 8
    assert audit.threshold == ALARM
    six = np.where(np.arange(250) % 40 < 5, 5.0 + np.arange(250) // 40, 1.0)
    raised = Thresholds.of(ends, six).audit()
    assert raised.alarms == 35
    assert np.exp(8) < raised.threshold < np.exp(9.01)  # two or three of the seven may still pass


def test_the_threshold_of_an_hour_does_not_know_later_placebos() -> None:
    rng = np.random.default_rng(3)
    ends, peaks = np.arange(2000, 12000, 31), rng.exponential(2.0, 323)
    whole = Thresholds.of(ends, peaks)
    cut = Thresholds.of(ends[:150], peaks[:150])
    hours = np.arange(1500, ends[149] + 1, 7)
    assert np.array_equal(whole.at(hours), cut.at(hours))


def test_placebos_of_more_than_a_year_ago_are_forgotten() -> None:
    ends = np.arange(2000, 2000 + 3 * YEAR_H, 35)
    peaks = np.where(ends < 2000 + YEAR_H, 8.0, 0.0)
    assert Thresholds.of(ends, peaks).audit().alarms == 0


def spikes(counts: Floats, at: list[int]) -> tuple[Spike, ...]:
    stream = stream_of(counts, at)
    fitted = fit(stream, np.zeros(len(stream.at), dtype=np.int64))
    mean = fitted.level[stream.hours.day] * fitted.shape + fitted.effect
    return unexplained(stream, mean, fitted.effect, fitted.scatter.frailty)


def test_plain_noise_has_no_spike() -> None:
    worlds = [World(365, per_day, growth=0.35) for per_day in (7.0, 7.0, 60.0, 60.0, 2000.0)]
    years = [worlds[i % 5].joins([], np.random.default_rng(i)).sum(1) for i in range(25)]
    assert sum(len(spikes(joins, [])) > 0 for joins in years) <= 2


def test_an_unlisted_surge_is_found_where_it_was() -> None:
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(100 + seed)
        surge = int(rng.integers(60, 350)) * 24 + 12
        seen = spikes(World(365, 7.0).joins([Cause(surge, 60.0, mean_h=20.0)], rng).sum(1), [])
        near = [one for one in seen if abs((one.start - START) / timedelta(hours=1) - surge) <= 24]
        found += len(near)
        assert len(seen) == len(near)
        assert all(one.low <= one.extra <= one.high and 20 <= one.extra <= 160 for one in near)
    assert found >= 10


def test_a_publication_explains_its_own_spike() -> None:
    rng = np.random.default_rng(8)
    joins = World(200, 7.0).joins([Cause(3000, 90.0, mean_h=30.0)], rng).sum(1)
    assert len(spikes(joins, [])) == 1
    assert spikes(joins, [3000]) == ()
