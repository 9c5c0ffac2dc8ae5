"""When a failed delivery is tried again: the Standard Webhooks schedule, jitter, the receiver's Retry-After. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_MIN: Final = 60.0
_HOUR: Final = 3600.0

DELAYS_S: Final[tuple[float, ...]] = (
    0,
    5,
    5 * _MIN,
    30 * _MIN,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Waiting time before attempt 1, 2, … in seconds; after the last one the delivery is exhausted."""
JITTER: Final = 0.2
RETRY_AFTER_CAP_S: Final = 24 * _HOUR


@dataclass(frozen=True)
class Schedule:
    """Delays before each attempt, spread by `jitter` (a share, both sides) so that failures do not return in step."""

    delays_s: Sequence[float] = DELAYS_S
    jitter: float = JITTER

    def delay_s(self, made: int, chance: float, retry_after_s: float | None = None) -> float | None:
        """Seconds until the next attempt after `made` failed ones; None when the schedule has ended.

        `chance` in [0, 1) is the caller's randomness. A receiver that names a later time than the schedule is obeyed.
        """
        if made >= len(self.delays_s):
            return None
        planned = self.delays_s[made] * (1 + self.jitter * (2 * chance - 1))
        return max(planned, retry_after_s or 0.0)


def retry_after_s(header: str | None, now: datetime) -> float | None:
    """Seconds asked for by a `Retry-After` header (delta-seconds or an HTTP date), at most 24 h; None for nonsense."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_CAP_S)
    return _until_date(text, now)


def _until_date(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return min(seconds, RETRY_AFTER_CAP_S) if seconds > 0 else None
