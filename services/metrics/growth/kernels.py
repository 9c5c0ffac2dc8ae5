"""How the joins of a publication spread over the hours after it, per kind: mass per hour, unit mass in all.

The shapes are priors. Each contains the cascade of referrals, so that it describes the total effect. Kinds without a
shape of their own get a broad mixture.
"""

from functools import cache

import numpy as np

from services.metrics.growth.model import Floats

REACH_H = 336  # what comes later is left to the baseline
REFERRED = 0.15  # share of joins that another member brought
REFERRAL_MEAN_H = 36.0


def decay(mean_h: float) -> Floats:
    """Most at once, then ever fewer, `mean_h` hours after it on average: mass per hour."""
    return -np.diff(np.exp(-np.arange(REACH_H + 1) / mean_h))


def with_referrals(direct: Floats) -> Floats:
    """The joins that a direct effect brings in all, those included whom its members bring: mass per hour."""
    referral = decay(REFERRAL_MEAN_H)
    total = wave = direct
    for _ in range(4):  # generations: the fifth is below 0.01 %
        wave = REFERRED * np.convolve(wave, referral)[:REACH_H]
        total = total + wave
    return (1 - REFERRED) * total


@cache
def kernel(kind: str) -> Floats:
    """Mass per hour, from the publication's own hour on (`REACH_H` of them)."""
    match kind:
        case "magazine_issue":
            return with_referrals(decay(60.0))
        case "broadcast":
            return with_referrals(decay(10.0))
        case "session":
            return with_referrals(decay(24.0))
        case "session_recording":
            return with_referrals(decay(120.0))
        case _:
            return with_referrals(0.5 * decay(12.0) + 0.5 * decay(72.0))
