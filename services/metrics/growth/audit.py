"""Placebos: the same alarm at past hours where nothing was published, and the threshold that follows from them.

Placebos stand at hours that follow from the calendar alone, so that a stream cut short has the first of them, and every
hour has the threshold of the placebos whose windows had ended by then.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from services.metrics.growth.evidence import ALARM
from services.metrics.growth.model import WINDOW_H, Audit, Floats, Indices
from services.metrics.growth.stream import Stream

ENOUGH_H = 42 * 24
YEAR_H = 366 * 24
FALSE_ALARMS = 0.01
SIGNIFICANT = 0.01
LARGEST = 690.0  # ln of the largest threshold that a number can show
A_DAY, A_DAY_AT_LEAST, PATIENCE = 0.75, 0.70, 12.0  # placebos; below the least, publications' windows are used too


def placebos(stream: Stream) -> Indices:
    """Hours of the stream where placebos stand: 0.70 to 0.75 a day, away from publications' windows where that is
    possible, whole windows only."""
    first = stream.hours.first_hour
    day = np.arange((first + ENOUGH_H) // 24, (first + stream.counts.size) // 24 + 1)
    at = day * 24 + (_scrambled(day) % np.uint64(24)).astype(np.int64) - first
    at = at[(at >= ENOUGH_H) & (at + WINDOW_H <= stream.counts.size)]
    busy = (np.abs(at[:, None] - stream.at) < WINDOW_H).any(1)
    kept: list[int] = []
    for seen, (hour, is_busy) in enumerate(zip(at.tolist(), busy.tolist(), strict=True), start=1):
        if len(kept) < (A_DAY_AT_LEAST * seen - min(PATIENCE, 0.2 * seen) if is_busy else A_DAY * seen):
            kept.append(hour)
    return np.array(kept, dtype=np.int64)


def _scrambled(numbers: Indices) -> NDArray[np.uint64]:
    """Pseudo-random numbers that follow from the given ones (SplitMix64, Steele et al. 2014)."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@dataclass(frozen=True)
class Thresholds:
    """Of placebos in order of the hours at which their windows ended (`ends`): their largest ln E (`peaks`), and ln of
    the threshold that follows from those that ended in the year before (`log_threshold`)."""

    ends: Indices
    peaks: Floats
    log_threshold: Floats

    @classmethod
    def of(cls, ends: Indices, peaks: Floats) -> "Thresholds":
        first = np.searchsorted(ends, ends - YEAR_H, side="right")
        log_threshold = np.full(len(peaks), np.log(ALARM))
        alarmed = np.append(0, np.cumsum(peaks >= np.log(ALARM)))
        for i in np.flatnonzero(alarmed[1:] - alarmed[first] > 1):
            log_threshold[i] = _log_threshold(ends[first[i] : i + 1], peaks[first[i] : i + 1])
        return cls(ends, peaks, log_threshold)

    def at(self, hour: Indices) -> Floats:
        """ln of the threshold in force at the end of hours (the number of hours since the stream's start)."""
        known = np.append(np.log(ALARM), self.log_threshold)
        return np.asarray(known[np.searchsorted(self.ends, hour, side="right")])

    def audit(self) -> Audit:
        """Of the last year."""
        if not len(self.ends):
            return Audit(0, 0, ALARM)
        peaks = self.peaks[self.ends > self.ends[-1] - YEAR_H]
        threshold = np.exp(min(float(self.log_threshold[-1]), LARGEST))
        return Audit(len(peaks), int((peaks >= np.log(ALARM)).sum()), round(float(threshold), 2))


def _log_threshold(ends: Indices, peaks: Floats) -> float:
    """ln of the least threshold at which the placebos' alarms are not significantly more than `FALSE_ALARMS`.

    Windows that overlap raise one alarm, and as many are independent as fit side by side into the hours they cover.
    """
    windows = np.minimum(np.diff(ends, prepend=ends[0] - WINDOW_H), WINDOW_H).sum() / WINDOW_H
    high = np.flatnonzero(peaks >= np.log(ALARM))
    episodes = np.split(high, np.flatnonzero(np.diff(ends[high]) >= WINDOW_H) + 1)
    number = np.arange(1, len(episodes) + 1)
    chance = betainc(number, np.maximum(windows - number, 0) + 1, FALSE_ALARMS)
    usual = int((chance >= SIGNIFICANT).sum())
    if len(episodes) <= usual:
        return float(np.log(ALARM))
    highest = np.sort([peaks[episode].max() for episode in episodes])[::-1]
    return float(np.nextafter(highest[usual], np.inf))
