"""Mean + 3 sd of the days before, as dashboards have it."""

import numpy as np

from benchmarks.growth.peers.sight import Opinion, Sight
from benchmarks.growth.three_sigma import DAYS_AFTER, DAYS_BEFORE, daily_alarm, hourly_alarm


def daily(sight: Sight) -> Opinion:
    """The range is that of a normal sum of seven independent days."""
    before = sight.before[-DAYS_BEFORE:]
    extra = float(sight.after.sum() - DAYS_AFTER * before.mean())
    reach = 1.645 * float(before.std(ddof=1)) * np.sqrt(DAYS_AFTER)
    return Opinion(daily_alarm(sight.counts, sight.at), extra, extra - reach, extra + reach)


def hourly(sight: Sight) -> Opinion:
    return Opinion(hourly_alarm(sight.counts, sight.at))
