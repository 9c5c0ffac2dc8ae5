"""An event as the code sees it: who says what about whom, when; and the data."""

from dataclasses import dataclass
from datetime import datetime

from shared.catalogue.fields import EventData


@dataclass(frozen=True, slots=True)
class Envelope:
    """The CloudEvents attributes of one event.

    Attributes:
        id: unique within `source`; the same over every repeat.
        source: the service, e.g. `/kairan/membership`.
        type: e.g. `kairan.member-joined.v1`.
        subject: the aggregate's id, and the record's key.
        time: when it happened (aware, UTC).
        recorded_time: when it was recorded (aware, UTC).
        aggregate_version: the number of this event within its aggregate, from 1.
        correlation_id: what the whole chain of events began with.
        causation_id: the command or event that this one follows from.
        traceparent: W3C trace context.
        also_versions: versions under which the same event is sent during an overlap, this one included.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    recorded_time: datetime
    aggregate_version: int
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    also_versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Event:
    """One fact. `data` is None for a tombstone only. The `repr` never spills the data."""

    envelope: Envelope
    data: EventData | None

    def __repr__(self) -> str:
        envelope = self.envelope
        return f"Event({envelope.type} id={envelope.id} subject={envelope.subject} v={envelope.aggregate_version})"
