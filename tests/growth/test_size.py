"""Sizes and verdicts from a negative-binomial base."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from services.metrics.growth import size
from services.metrics.growth.foresight import Mixture
from services.metrics.growth.model import Counts, Floats

counts = st.integers(0, 400)
means = st.floats(0.01, 300)
factors = st.floats(1.001, 20)


def interval(observed: Counts, mean: Floats, variance: Floats) -> tuple[Counts, Counts]:
    return size.interval(observed, Mixture(mean[:, None], variance[:, None], np.ones((mean.size, 1))))


@settings(max_examples=150, deadline=None)
@given(counts, means, factors)
def test_the_interval_is_the_smallest_set_that_holds_90_percent(observed: int, mean: float, factor: float) -> None:
    variance = mean * factor
    low, high = (int(end[0]) for end in interval(np.array([observed]), np.array([mean]), np.array([variance])))
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
    together = interval(observed, mean, 1.5 * mean)
    for i in range(3):
        alone = interval(observed[i : i + 1], mean[i : i + 1], 1.5 * mean[i : i + 1])
        assert (together[0][i], together[1][i]) == (alone[0][0], alone[1][0])


def test_large_counts_are_looked_at_in_steps() -> None:
    low, high = interval(np.array([1_000_000]), np.array([900_000.0]), np.array([2e8]))
    spread = np.sqrt(2e8)
    assert low[0] == pytest.approx(100_000 - 1.645 * spread, abs=0.02 * spread + 500)
    assert high[0] == pytest.approx(100_000 + 1.645 * spread, abs=0.02 * spread + 500)


def test_a_mixture_holds_what_its_parts_hold_by_their_weights() -> None:
    observed, mean, variance = 60, np.array([[20.0, 30.0]]), np.array([[24.0, 200.0]])
    low, high = size.interval(np.array([observed]), Mixture(mean, variance, np.array([[0.7, 0.3]])))
    shape = mean**2 / (variance - mean)
    base = observed - np.arange(observed + 1)
    mass = (nbinom.pmf(base[:, None], shape, shape / (shape + mean)) * [0.7, 0.3]).sum(1)
    assert mass[low[0] : high[0] + 1].sum() / mass.sum() == pytest.approx(0.9, abs=0.03)


def test_an_empty_component_changes_nothing() -> None:
    observed = np.array([60])
    one = size.interval(observed, Mixture(np.array([[20.0]]), np.array([[30.0]]), np.array([[1.0]])))
    other = size.interval(observed, Mixture(np.array([[20.0, 999.0]]), np.array([[30.0, 1e6]]), np.array([[1.0, 0.0]])))
    assert (one[0][0], one[1][0]) == (other[0][0], other[1][0])
