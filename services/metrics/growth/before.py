"""What is known of watched windows when they open, one value (or one row) per window."""

from dataclasses import dataclass

from services.metrics.growth.model import Floats, Indices

LEAD_H = 72  # hours before a window that tell whether a surge goes on


@dataclass(frozen=True)
class Before:
    """Of W windows: the first day's hours before them, doubts, and the `LEAD_H` hours that lead to them."""

    joins: Floats  # of the first day before the window
    base: Floats  # expected in these hours
    frailty: Floats  # of the first day
    echoed: Floats  # what the first day repeats of the day before, as a factor
    echo: Floats  # how much of a day's frailty the next day repeats, 0-1
    grain: Floats  # how much of a join counts: hours of a day differ more than chance in busy streams, 0-1
    level_doubt: Floats  # relative variance of the level
    surge_rate: Floats  # share of days on which a surge begins that no publication explains
    opens: Indices  # hour of the day (Asia/Tokyo)
    lead_joins: Floats  # W x LEAD_H: the last one is the hour before the window
    lead_base: Floats
    lead_others: Floats  # chance that a surge by another publication began in the hour
