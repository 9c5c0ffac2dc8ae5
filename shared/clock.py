"""Which "now" rules the community's windows: the wall's, or that of a replayed stream; and Japan's days.

Stored is always UTC; days and weeks are derived in Asia/Tokyo, which has no summer time and a whole-hour offset, so an
hour of one is an hour of the other. Were Japan to change its zone, days would be derived anew by the rules in force at
each moment (zoneinfo), and nothing stored would change.
"""

import time
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from typing import Literal
from zoneinfo import ZoneInfo

ClockKind = Literal["wall", "stream"]

JST = ZoneInfo("Asia/Tokyo")
NOTHING_KNOWN = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Now, for windows and as-of times only; tokens, leases, retries and signatures read the wall themselves."""

    def __init__(self, kind: ClockKind = "wall") -> None:
        self.kind: ClockKind = kind
        self._passed = NOTHING_KNOWN

    def now(self) -> datetime:
        """Aware, UTC. In `stream`: the last time-passed heard of, or `NOTHING_KNOWN` before the first."""
        return wall_now() if self.kind == "wall" else self._passed

    @property
    def known(self) -> bool:
        """Whether `now` means something: always on the wall, in a stream after its first time-passed."""
        return self.kind == "wall" or self._passed > NOTHING_KNOWN

    def advance(self, until: datetime) -> None:
        """Hear that time has passed until `until` (aware). Never goes back; on the wall it changes nothing."""
        self._passed = max(self._passed, until.astimezone(UTC))


def wall_now() -> datetime:
    """The host's time, aware, UTC."""
    return datetime.now(UTC)


def wall_ms() -> int:
    """The host's time in Unix milliseconds."""
    return int(time.time() * 1000)


def moment_of(ms: int) -> datetime:
    """The moment, aware, UTC, of Unix milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def jst_day(moment: datetime) -> date:
    """The day in Japan of an aware moment."""
    return moment.astimezone(JST).date()


def jst_midnight(day: date) -> datetime:
    """The aware UTC moment at which `day` begins in Japan."""
    return datetime.combine(day, time_of_day.min, tzinfo=JST).astimezone(UTC)


def hour_floor(moment: datetime) -> datetime:
    """The beginning of the hour that holds an aware moment, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
