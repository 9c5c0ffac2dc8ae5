"""The rule that dashboards come with: an alarm above mean + 3 standard deviations of the 28 days before."""

import numpy as np

from kairan.year.counts import Counts, Floats

DAYS_BEFORE, DAYS_AFTER, SIGMAS = 28, 7, 3.0


def daily_alarm(counts: Counts, at: int) -> bool:
    """Whether one of the seven blocks of 24 hours from hour `at` on is an alarm, looked at at its end."""
    return bool((blocks(counts, at, DAYS_AFTER) > _line(counts, at)).any())


def hourly_alarm(counts: Counts, at: int) -> bool:
    """Whether the last 24 hours are an alarm at the end of one of the 168 hours from hour `at` on."""
    sums = np.cumsum(np.concatenate([np.zeros(24), counts[: at + 24 * DAYS_AFTER]]))
    last_day = sums[at + 24 :] - sums[at:-24]
    return bool((last_day > _line(counts, at)).any())


def _line(counts: Counts, at: int) -> float:
    """Without two days before, no count is too high."""
    before = days_before(counts, at)
    return float(before.mean() + SIGMAS * before.std(ddof=1)) if before.size > 1 else np.inf


def days_before(counts: Counts, at: int) -> Floats:
    """The blocks of 24 hours before hour `at`: 28, or as many as there are."""
    days = min(DAYS_BEFORE, at // 24)
    return blocks(counts, at - 24 * days, days)


def blocks(counts: Counts, at: int, days: int) -> Floats:
    """Sums of the whole blocks of 24 hours from hour `at` on, `days` at most."""
    inside = counts[at : at + 24 * days]
    return np.asarray(inside[: inside.size // 24 * 24].reshape(-1, 24).sum(1), dtype=np.float64)
