"""The acceptance benchmark of the science runs, small, with finite figures in each row; its own statistics hold."""

import json
import math
import sys
from datetime import UTC, datetime
from itertools import pairwise
from subprocess import run

import numpy as np
import pytest

from benchmarks.growth import alarms, cost, cover, credit, real, single, stars
from benchmarks.growth.__main__ import main
from benchmarks.growth.line import Line, clopper_pearson, median, resampled, share
from benchmarks.growth.peers.sight import Sight
from benchmarks.growth.peers.study import PEERS, peers
from benchmarks.growth.report import cells
from benchmarks.growth.stars import Repository
from benchmarks.growth.study import Study
from benchmarks.growth.three_sigma import daily_alarm, hourly_alarm

SEED = 5
ROWS = {  # per study, small: how many lines it must have per row
    alarms.false_alarms: {"1": 6, "6": 1},
    alarms.hard_false_alarms: {"1": 12},
    alarms.power: {"2": 6, "3": 3},
    cover.cover: {"4": 28},
    credit.years: {"5": 4, "6": 14},
    credit.large_years: {"7": 15},
    peers: {},
}


def looked_at(study: Study) -> list[Line]:
    return list(study.lines(study.look_at(study.cases)))


@pytest.mark.parametrize("make", ROWS, ids=lambda make: make.__name__)
def test_every_row_has_its_lines_and_finite_figures(make) -> None:  # type: ignore[no-untyped-def]
    lines = looked_at(make(3 if make is alarms.false_alarms else 1, SEED))
    for row, count in ROWS[make].items():
        assert sum(line.row == row for line in lines) == count
    for line in lines:
        assert line.n >= 1
        assert line.seen >= 0  # inf: no alarm at all
        assert math.isfinite(line.seen) or line.unit == "h"
        assert len(cells(line)) == 7
        if line.low is not None and line.high is not None:
            assert line.low <= line.seen <= line.high


def test_costs_are_above_nothing() -> None:
    lines = looked_at(cost.cost(1, SEED))
    assert [line.row for line in lines] == ["9"] * len(lines)
    assert all(0 < line.seen < math.inf for line in lines)


def test_a_recipe_always_draws_the_same_stream_and_another_seed_another() -> None:
    for make in (alarms.null, alarms.in_office, alarms.shifting, alarms.dragging, alarms.growing):
        first, again, other = make(60, 3, SEED), make(60, 3, SEED), make(60, 3, SEED + 1)
        assert first == again
        np.testing.assert_array_equal(first.drawn(), again.drawn())
        assert first != other
        assert not first.drawn()[:, 1].any()
        assert first.at + single.WINDOW_H <= first.world.days * 24


def test_an_effect_is_as_large_as_its_line_says() -> None:
    brought = [alarms.acting(1.0, 3, number, SEED).drawn()[:, 1].sum() for number in range(200)]
    on_monday = 1.17  # Monday to Wednesday are the week's best days
    assert np.mean(brought) == pytest.approx(21 * on_monday, abs=1.5)


def test_the_command_prints_json_and_says_what_was_left_out() -> None:
    command = [sys.executable, "-m", "benchmarks.growth", "--rows", "2,9", "--n", "2=2", "--n", "9=1", "--json"]
    ran = run(command, capture_output=True, text=True, timeout=230, check=True)
    told = json.loads(ran.stdout)
    assert {line["row"] for line in told["lines"]} == {"2", "3", "9"}
    assert all(line["n"] == 2 for line in told["lines"] if line["row"] == "2")
    assert "2, 3 power: 12 streams" in ran.stderr


def test_the_command_refuses_rows_that_it_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--rows", "12"])
    assert "no row 12" in capsys.readouterr().err


def test_shares_have_exact_intervals() -> None:
    low, high = clopper_pearson(2, 20)
    assert (low, high) == (pytest.approx(0.01235, abs=1e-5), pytest.approx(0.31698, abs=1e-5))
    assert clopper_pearson(0, 20) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert clopper_pearson(20, 20)[1] == 1.0
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_a_goal_is_met_missed_or_missed_within_the_noise() -> None:
    assert share("1", "x", [False] * 100, at_most=0.01).met == "met"
    assert share("1", "x", [True, True, *[False] * 98], at_most=0.01).met == "missed, interval touches"
    assert share("1", "x", [True] * 50 + [False] * 50, at_most=0.01).met == "missed"
    assert share("4", "x", [True] * 100, at_least=0.88, at_most=0.92).met == "missed"
    assert share("4", "x", [True] * 9 + [False], at_least=0.88, at_most=0.92).met == "met"
    assert share("1", "x", []).met == ""
    assert median("3", "x", [math.inf] * 5, at_most=3.0).met == "missed"
    assert median("3", "x", [1.0, 2.0, math.inf], at_most=3.0).seen == 2.0


def test_a_figure_of_years_has_an_interval_around_it() -> None:
    line = resampled("5", "x", [1.0, 2.0, 3.0, 4.0], lambda years: sum(years) / len(years))
    assert line.seen == 2.5
    assert line.low is not None
    assert line.high is not None
    assert 1.0 <= line.low < 2.5 < line.high <= 4.0


def test_three_sigma_alarms_above_its_line_and_not_before() -> None:
    rng = np.random.default_rng(SEED)
    counts = rng.poisson(2, 50 * 24)
    assert not daily_alarm(counts, 40 * 24)
    assert not hourly_alarm(counts, 40 * 24)
    counts[41 * 24 + 12 : 42 * 24 + 12] += 2
    assert hourly_alarm(counts, 40 * 24)
    counts[45 * 24 : 46 * 24] += 3
    assert daily_alarm(counts, 40 * 24)
    assert not daily_alarm(counts, 30 * 24)


def test_placebos_stand_away_from_posts_on_busy_hours_only() -> None:
    counts = np.ones(900 * 24, dtype=np.int64)
    counts[: 300 * 24] = 0
    repository = Repository("some/thing", datetime(2020, 1, 1, tzinfo=UTC), counts, (500 * 24,))
    groups = real.placebos(repository, 30, real.STRICT)
    assert groups == real.placebos(repository, 30, real.STRICT)
    assert sum(map(len, groups)) == 30
    for group in groups:
        assert all(after - before >= real.APART_H for before, after in pairwise(group))
        for at in group:
            assert at > 300 * 24
            assert at + real.WINDOW_H <= counts.size
            assert not 500 * 24 - real.CLEAR_AFTER_H <= at <= 500 * 24 + real.CLEAR_BEFORE_H


@pytest.mark.skipif(stars.why_absent() is not None, reason=str(stars.why_absent()))
def test_real_streams_are_all_read_and_a_small_one_is_judged() -> None:
    found = stars.repositories()
    assert len(found) == 69
    assert {one.half for one in found.values()} == {"tune", "report"}
    assert all(one.counts[0] > 0 and one.counts[-1] > 0 for one in found.values())
    study = real.real(2, SEED)
    lines = study.lines([study.look(("lemonade-sdk/lemonade", 2)), study.look(("tambo-ai/tambo", 2))])
    assert sum(line.n for line in lines if line.what == "both: own posts found, ledger") == 2
    assert sum(line.n for line in lines if line.what == "both, as the note counts: own posts found, ledger") == 2
    assert {line.row for line in lines} == {"8"}


@pytest.mark.skipif(stars.why_absent() is not None, reason=str(stars.why_absent()))
def test_the_note_counts_23_posts_and_3_sigma_finds_16() -> None:
    found = [(one, at) for one in stars.repositories().values() for at in real.posts(one, real.NOTED)]
    assert len(found) == 23
    assert sum(daily_alarm(one.counts, at) for one, at in found) == 16


def test_peers_that_need_no_package_see_a_plain_effect_and_its_size() -> None:
    opinion = PEERS["mean + 3 sd, daily"].ask(plain())
    assert opinion.alarm
    assert opinion.low < 720 < opinion.high
    assert PEERS["mean + 3 sd, hourly"].ask(plain()).alarm


def plain() -> Sight:
    """+300 % for three days at 240 a day."""
    counts = np.random.default_rng(SEED).poisson(10, 64 * 24)
    counts[56 * 24 : 59 * 24] += 10
    return Sight(counts, 56 * 24)
