"""The word for a row: how likely an effect is, and whether the evidence that may be looked at any time agrees."""

import numpy as np

from services.metrics.growth.audit import ENOUGH_H
from services.metrics.growth.model import Verdict

SURE, LIKELY = 0.95, 0.5


def verdict(hours_before: int, hours_known: int, effect: float, log_evidence: float, threshold: float) -> Verdict:
    """`effect`: posterior probability that the publication brought anybody, which before an hour of its window is
    known is but what others brought; `threshold`: on E itself."""
    if hours_before < ENOUGH_H:
        return "too_little_data"
    if hours_known <= 0:
        return "unclear"
    if effect > SURE and log_evidence >= np.log(threshold):
        return "clear"
    return "likely" if effect > LIKELY else "unclear"
