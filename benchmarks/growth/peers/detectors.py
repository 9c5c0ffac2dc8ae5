"""Detectors of changes and anomalies: ruptures, adtk and river, each as its documentation shows it."""

from itertools import pairwise

import numpy as np

from benchmarks.growth.peers.sight import DAYS_BEFORE, LEVEL, Opinion, Sight
from benchmarks.growth.three_sigma import DAYS_AFTER

PENALTY_PER_LOG = 3.0  # ruptures has no level to set: the usual penalty for a change of the mean


def change_points(sight: Sight) -> Opinion:
    """ruptures: a change upwards inside the window, looked for anew after each day (PELT, l2)."""
    from ruptures import KernelCPD

    scaled = (_days(sight) - sight.before.mean()) / max(float(sight.before.std()), 1e-9)
    for day in range(1, DAYS_AFTER + 1):
        seen = scaled[: DAYS_BEFORE + day]
        ends = KernelCPD("linear", min_size=1).fit(seen).predict(pen=PENALTY_PER_LOG * np.log(seen.size))
        for start, end in pairwise(ends):
            before = max([0, *(other for other in ends if other < start)])
            if start >= DAYS_BEFORE and seen[start:end].mean() > seen[before:start].mean():
                return Opinion(True)
    return Opinion(False)


def level_shift(sight: Sight) -> Opinion:
    from adtk.detector import LevelShiftAD

    return _adtk(sight, LevelShiftAD(c=6.0, side="positive", window=5))


def persistence(sight: Sight) -> Opinion:
    from adtk.detector import PersistAD

    return _adtk(sight, PersistAD(c=3.0, side="positive", window=7))


def _adtk(sight: Sight, detector: object) -> Opinion:
    from pandas import Series, date_range

    series = Series(_days(sight), index=date_range("2024-01-01", periods=DAYS_BEFORE + DAYS_AFTER))
    for day in range(1, DAYS_AFTER + 1):
        found = detector.fit_detect(series.iloc[: DAYS_BEFORE + day])  # type: ignore[attr-defined]
        if bool((found.iloc[DAYS_BEFORE:] == True).any()):  # noqa: E712 - nan where it cannot say
            return Opinion(True)
    return Opinion(False)


def adaptive_window(sight: Sight) -> Opinion:
    """river's ADWIN hour by hour: a change within the window, the mean having risen."""
    from river.drift import ADWIN

    window = ADWIN(delta=LEVEL)
    usual = float(sight.before.mean()) / 24
    for hour, joins in enumerate(sight.counts[: sight.at + 24 * DAYS_AFTER]):
        window.update(float(joins))
        if hour >= sight.at and window.drift_detected and window.estimation > usual:
            return Opinion(True)
    return Opinion(False)


def gaussian(sight: Sight) -> Opinion:
    """river's GaussianScorer on the days: the score 1 - 2 x level is the one-sided level."""
    from river.anomaly import GaussianScorer

    scorer = GaussianScorer(grace_period=28)
    for joins in sight.before:
        scorer.learn_one(None, float(joins))
    for joins in sight.after:
        if scorer.score_one(None, float(joins)) > 1 - 2 * LEVEL and joins > sight.before.mean():
            return Opinion(True)
        scorer.learn_one(None, float(joins))
    return Opinion(False)


def _days(sight: Sight) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.concatenate([sight.before, sight.after])
