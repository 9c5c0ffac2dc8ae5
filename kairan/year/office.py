"""The year of a Japanese office as it shows in joins: holidays, Golden Week, Obon, New Year, the transfer season."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import holidays
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Office:
    """Factors on the joins of a day: of public holidays, of the breaks around them, and of 1 April.

    A bridge day (a working day between two days off) counts half of a holiday. The transfer season rises over two weeks
    before 1 April to `transfer` and fades over four.
    """

    holiday: float = 0.65
    golden_week: float = 0.55
    obon: float = 0.7
    new_year: float = 0.35
    transfer: float = 1.5

    def factors(self, start: date, days: int) -> Floats:
        """One factor per day from `start`; shape (days,). Their mean is near 1 only over a year."""
        each = [start + n * DAY for n in range(days)]
        off = _public_holidays(start.year - 1, (start + days * DAY).year + 1)
        return np.array([self._of_break(day, off) * self._of_transfer(day) for day in each])

    def _of_break(self, day: date, off: frozenset[date]) -> float:
        if (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3):
            return self.new_year
        if day.month == 8 and 13 <= day.day <= 16:
            return self.obon
        golden = (4, 29) <= (day.month, day.day) <= (5, 6)
        factor = self.golden_week if golden else self.holiday
        if day in off:
            return factor
        if day.weekday() < 5 and _free(day - DAY, off) and _free(day + DAY, off):
            return (1 + factor) / 2
        return 1.0

    def _of_transfer(self, day: date) -> float:
        since = (day - date(day.year, 4, 1)).days
        if not -14 < since < 28:
            return 1.0
        share = 1 + since / 14 if since < 0 else 1 - since / 28
        return 1 + (self.transfer - 1) * share


def _free(day: date, off: frozenset[date]) -> bool:
    return day in off or day.weekday() >= 5


@cache
def _public_holidays(first_year: int, last_year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=range(first_year, last_year + 1)))
