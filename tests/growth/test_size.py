"""Sizes and verdicts from a negative-binomial base."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from services.metrics.growth import size

counts = st.integers(0, 400)
means = st.floats(0.01, 300)
factors = st.floats(1.001, 20)


@settings(max_examples=150, deadline=None)
@given(counts, means, factors)
def test_the_interval_is_the_smallest_set_that_holds_90_percent(observed: int, mean: float, factor: float) -> None:
    variance = mean * factor
    low, high = (int(end[0]) for end in size.interval(np.array([observed]), np.array([mean]), np.array([variance])))
    shape = mean**2 / (variance - mean)
    mass = nbinom.pmf(observed - np.arange(observed + 1), shape, shape / (shape + mean))
    if mass.sum() < 1e-250:
        return
    mass /= mass.sum()
    assert 0 <= low <= high <= observed
    held = mass[low : high + 1].sum()
    assert held >= 0.90 - 1e-6
    narrower = [mass[a : a + high - low].sum() for a in range(observed + 1)] if high > low else [0.0]
    assert max(narrower) < 0.90 + 1e-6


def test_rows_are_independent_of_each_other() -> None:
    observed, mean = np.array([31, 500, 0]), np.array([20.0, 90.0, 3.0])
    together = size.interval(observed, mean, 1.5 * mean)
    for i in range(3):
        alone = size.interval(observed[i : i + 1], mean[i : i + 1], 1.5 * mean[i : i + 1])
        assert (together[0][i], together[1][i]) == (alone[0][0], alone[1][0])


def test_large_counts_are_looked_at_in_steps() -> None:
    low, high = size.interval(np.array([1_000_000]), np.array([900_000.0]), np.array([2e8]))
    spread = np.sqrt(2e8)
    assert low[0] == pytest.approx(100_000 - 1.645 * spread, abs=0.02 * spread + 500)
    assert high[0] == pytest.approx(100_000 + 1.645 * spread, abs=0.02 * spread + 500)


def test_the_tail_is_the_chance_of_at_least_so_many() -> None:
    chance = size.tail(np.array([0, 10]), np.array([5.0, 5.0]), np.array([5.0001, 5.0001]))
    assert chance[0] == pytest.approx(1.0)
    assert chance[1] == pytest.approx(0.0318, abs=0.001)
