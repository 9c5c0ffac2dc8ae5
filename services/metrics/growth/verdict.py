"""The word for a row: how likely an effect is, and whether the evidence that may be looked at any time agrees."""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth.model import Floats, Indices, Verdict

ENOUGH_H = 42 * 24  # of the stream before a publication
SURE, LIKELY = 0.95, 0.5
NEVER = -1


@dataclass(frozen=True)
class Watched:
    """Per publication: natural log of the largest E, and the end of the first hour at which it crossed, in hours after
    the start of the stream (or `NEVER`)."""

    log_evidence: Floats
    alarm_h: Indices


def verdict(hours_before: int, effect: float, log_evidence: float, threshold: float) -> Verdict:
    """`effect`: posterior probability that the publication brought anybody; `threshold`: on E itself."""
    if hours_before < ENOUGH_H:
        return "too_little_data"
    if effect > SURE and log_evidence >= np.log(threshold):
        return "clear"
    return "likely" if effect > LIKELY else "unclear"
