"""Joins whose mean scatters like a gamma: the negative binomial with mean m and variance m + m^2 / k."""

import numpy as np
from scipy.special import gammaln

from services.metrics.growth.model import Floats


def log_mass(frailty: Floats | float, joins: Floats, mean: Floats) -> Floats:
    """ln of the chance of `joins` (n), given the `mean` m and the `frailty` k, without n ln m - ln n!: for a day of
    hours that share one k, the rest is the sum of that over its hours."""
    log = gammaln(frailty + joins) - gammaln(frailty) - joins * np.log(frailty)
    return np.asarray(log - (frailty + joins) * np.log1p(mean / frailty))
