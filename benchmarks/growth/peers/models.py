"""Forecasts by statistical packages: statsmodels' NB-GLM and unobserved components, and pycausalimpact."""

from typing import Any

import numpy as np

from benchmarks.growth.peers.sight import DAYS_BEFORE, Opinion, Sight, from_simulated
from benchmarks.growth.three_sigma import DAYS_AFTER
from kairan.year.counts import Floats

SIMULATIONS = 1000
LEAST_SCATTER = 1e-6  # of the negative binomial, where the fit finds none


def negative_binomial(sight: Sight) -> Opinion:
    """statsmodels' NegativeBinomial with weekdays and a linear trend; its own error is not in its forecasts."""
    from statsmodels.api import NegativeBinomial

    day = np.arange(DAYS_BEFORE + DAYS_AFTER)
    design = np.column_stack([np.ones(day.size), day / day.size, np.eye(7)[day % 7][:, 1:]])
    fitted = NegativeBinomial(sight.before, design[:DAYS_BEFORE]).fit(disp=0)
    mean = fitted.predict(design[DAYS_BEFORE:])
    size = 1 / max(float(fitted.params[-1]), LEAST_SCATTER)
    rng = np.random.default_rng(sight.at)
    simulated = rng.negative_binomial(size, size / (size + mean), (5 * SIMULATIONS, DAYS_AFTER))
    return from_simulated(sight.after, simulated.astype(float))


def unobserved_components(sight: Sight) -> Opinion:
    """Local level and weekdays by maximum likelihood, simulated from the end of what was seen before."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(sight.before, "llevel", seasonal=7, stochastic_seasonal=False)
    simulated = model.fit(disp=0).simulate(DAYS_AFTER, anchor="end", repetitions=SIMULATIONS, random_state=sight.at)
    return from_simulated(sight.after, np.asarray(simulated).reshape(DAYS_AFTER, -1).T)


def causal_impact(sight: Sight) -> Opinion:
    """Its tail probability is that of the sum among simulations of its fitted model, which serve all seven looks.

    It makes them by a call each, from a state that cannot be seeded; here all are drawn from that model at once.
    """
    from causalimpact import CausalImpact
    from pandas import DataFrame

    days: Floats = np.concatenate([sight.before, sight.after])
    whole = [0, DAYS_BEFORE - 1], [DAYS_BEFORE, days.size - 1]
    at_once = type("AtOnce", (CausalImpact,), {"simulated_y": property(lambda fitted: _simulated(fitted, sight.at))})
    found = at_once(DataFrame({"y": days}), *whole, nseasons=[{"period": 7}])
    return from_simulated(sight.after, _simulated(found, sight.at))


def _simulated(fitted: Any, seed: int) -> Floats:
    drawn = fitted.trained_model.simulate(DAYS_AFTER, anchor="end", repetitions=SIMULATIONS, random_state=seed)
    mean, scale = fitted.mu_sig
    return np.asarray(np.asarray(drawn).reshape(DAYS_AFTER, -1).T * scale + mean)
