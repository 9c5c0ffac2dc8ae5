"""A stream that has just begun: when it is first watched, and what is doubted of it beyond what its own days show.

Its few days cannot tell how much they hide: weekdays that were not seen yet, and a level that still settles. Both
doubts fade with its age. They were weighed on the tuning half of the real streams (benchmarks/growth) and on simulated
ones: at most 1 % false alarms at any age.
"""

import numpy as np

from services.metrics.growth.model import Floats

FIRST_DAYS = 3  # nothing is asked before their end, so all of them may tell where a stream starts
WATCHED_H = 24 * FIRST_DAYS
FADES_DAYS = 8.0
LEVEL_DOUBT, DAY_DOUBT = 0.3, 0.06  # at birth: relative variance of the level, and of a day around it


def youth(days: int) -> Floats:
    """How young a stream is at the start of each of `days` + 1 days: 1 at birth, falling to 0."""
    return np.exp(-np.arange(days + 1) / FADES_DAYS)
