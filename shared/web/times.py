"""What a client may say about time: facts lie between 1970 and now, and only who may write history dates them."""

from datetime import UTC, datetime, timedelta

from shared.bus.command import Refused, When
from shared.clock import Clock, wall_now
from shared.web.auth import Caller

HISTORY = "history:write"
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Times:
    """Dates facts by the client's word or by the community's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def when(self, caller: Caller, occurred_at: datetime | None = None, recorded_at: datetime | None = None) -> When:
        """When a fact happened and was recorded.

        Raises Refused (409) for what lies outside 1970 to now + 5 minutes, or a recording time on the wall clock; and
        the problem 403 when the caller may not write history.
        """
        if occurred_at is None and recorded_at is None:
            return When(self.now())
        caller.demand(HISTORY)
        if recorded_at is not None and self._clock.kind == "wall":
            raise Refused(409, "recorded-at", "recorded_at is not taken", "Only a stream clock takes recorded_at.")
        occurred = self.now() if occurred_at is None else past(occurred_at)
        return When(occurred, None if recorded_at is None else past(recorded_at))

    def now(self) -> datetime:
        """The community's now; the wall's as long as a stream has not told its own."""
        return in_ms(self._clock.now() if self._clock.known else wall_now())


def past(moment: datetime) -> datetime:
    """`moment` in UTC and whole milliseconds, as the database keeps it; raises Refused (409) outside 1970 to now."""
    if moment < EARLIEST:
        raise Refused(409, "before-1970", "Too long ago", "Nothing here happened before 1970.")
    if moment > wall_now() + AHEAD:
        raise Refused(409, "ahead-of-now", "Ahead of now", "A fact cannot lie more than 5 minutes ahead of now.")
    return in_ms(moment.astimezone(UTC))


def in_ms(moment: datetime) -> datetime:
    """`moment` cut to whole milliseconds: what an event says is then exactly what the database keeps."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def planned(moment: datetime) -> datetime:
    """`moment`, which may lie ahead, in UTC and whole milliseconds; raises Refused (409) outside 1970 to 2200."""
    if not EARLIEST <= moment < LATEST:
        raise Refused(409, "out-of-range", "Out of range", "Times here lie between 1970 and 2200.")
    return in_ms(moment.astimezone(UTC))


def utc_text(moment: datetime | None) -> str | None:
    """A moment in UTC, to the second where it is whole."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
