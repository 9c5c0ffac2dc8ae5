"""The level told apart from surges."""

import numpy as np

from services.metrics.growth.model import Floats
from services.metrics.growth.regime import regime

CALM = [9, 12, 8, 11, 10, 7, 13, 10, 9, 11] * 5
SURGE = [300, 420, 180, 90, 50, 30]


def level_after(days: list[int]) -> float:
    """Joins a day, as known at the end of the last day."""
    return float(np.exp(regime(counts(days), np.full(len(days), 24.0)).log_level[-1]))


def counts(days: list[int]) -> Floats:
    return np.array(days, dtype=np.float64)


def test_a_surge_leaves_the_level_where_it_was() -> None:
    assert 8 < level_after([*CALM, *SURGE, 12, 9, 11]) < 16


def test_a_level_that_stays_high_is_believed_and_comes_down_as_fast() -> None:
    assert level_after([*CALM, *[40, 44, 37, 42] * 4]) > 30
    assert level_after([*CALM, *[40, 44, 37, 42] * 4, *[9, 12, 8, 10] * 3]) < 14


def test_a_launch_is_a_surge_and_no_level() -> None:
    assert level_after([174, 169, 40, 18, 18, 12, 15]) < 30


def test_what_is_known_of_a_day_comes_from_the_days_before() -> None:
    days = counts([*CALM, *SURGE])
    early, late = (regime(days[:n], np.full(n, 24.0)) for n in (53, 56))
    np.testing.assert_allclose(early.log_level, late.log_level[:54], rtol=1e-9)
    np.testing.assert_allclose(early.surge, late.surge[:53], rtol=1e-9)
