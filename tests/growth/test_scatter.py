"""How days differ, and what a week may bring: learnt from streams whose truth is known."""

import numpy as np
import pytest

from kairan.year.counts import World
from services.metrics.growth.scatter import CORRELATION, VARIANCE, scatter
from tests.growth.streams import Seen, single


def days(world: World, seed: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], float]:
    joins = world.joins([], np.random.default_rng(seed)).sum(1).reshape(-1, 24).sum(1).astype(np.float64)
    weekday = np.resize(np.array([joins[i::7].mean() for i in range(7)]), joins.size)
    return joins / weekday * joins.mean(), float(joins.mean())


@pytest.mark.parametrize(("variance", "correlation"), [(0.01, 0.0), (0.05, 0.5), (0.2, 0.0)])
def test_variance_and_correlation_of_days_are_found(variance: float, correlation: float) -> None:
    counts, mean = days(World(400, 2000, day_variance=variance, day_correlation=correlation), 5)
    found = scatter(counts, np.full(counts.size, mean), np.zeros(counts.size))
    weight = found.before(np.array([counts.size]))[0]
    assert float(weight @ VARIANCE) == pytest.approx(variance, rel=0.6)
    assert float(weight @ CORRELATION) == pytest.approx(correlation, abs=0.25)


def test_what_is_known_before_a_day_does_not_depend_on_later_days() -> None:
    counts, mean = days(World(120, 60), 6)
    other = counts.copy()
    other[80:] = 999
    seen = [scatter(c, np.full(120, mean), np.zeros(120)).before(np.array([80])) for c in (counts, other)]
    assert (seen[0] == seen[1]).all()


def test_a_single_surge_does_not_make_every_day_unsure() -> None:
    counts, mean = days(World(120, 60, day_variance=0.02), 7)
    surged = counts.copy()
    surged[60] = 40 * mean
    plain, marked = (scatter(c, np.full(120, mean), np.zeros(120)).frailty[-1] for c in (counts, surged))
    assert marked > 0.2 * plain


@pytest.mark.parametrize(
    "world",
    [
        World(70, 7),
        World(70, 60, day_variance=0.05, day_correlation=0.5),
        World(70, 2000, day_variance=0.05, day_correlation=0.5),
    ],
)
def test_ranges_of_extra_joins_hold_the_truth(world: World) -> None:
    seen: list[Seen] = [single(world, 1.0, np.random.default_rng((91, i))) for i in range(50)]
    assert np.mean([one.held for one in seen]) >= 0.78  # 88-92 % and the noise of 50
