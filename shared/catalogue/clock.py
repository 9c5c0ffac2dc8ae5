"""The community's clock in a replayed or demo year, so that empty hours and the end of the stream are known."""

from typing import Annotated

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, UtcTime, about


class TimePassed(EventData):
    """All that happened before `until` has been told."""

    until: Annotated[UtcTime, about("The community's now.", unit="time (RFC 3339)")]


TYPES = (
    EventType(
        name="time-passed",
        version=1,
        topic="kairan.clock",
        model=TimePassed,
        publisher="events",
        summary_en="The clock of a replayed year moved on.",
        summary_ja="再生中の一年の時計が進んだ。",
        subject="clock",
    ),
)
