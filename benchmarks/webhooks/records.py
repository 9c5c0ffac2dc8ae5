"""Events for a load: encoded once per type by the catalogue; then only ids, times, key and number change.

An event's number stands in its `aggregateversion` (number + 1): no endpoint's pseudonyms replace it, so that what a
receiver got can be laid beside what was published.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.catalogue import (
    CATALOGUE,
    ArchiveCorrected,
    ArchiveWithdrawn,
    Envelope,
    Event,
    EventData,
    JoinVoided,
    MemberJoined,
    MemberLeft,
    Record,
    SessionCancelled,
    SessionHeld,
    SessionRescheduled,
    SessionScheduled,
    encode,
)
from shared.catalogue.headers import write_time

_NOW: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_DATA: Final[Mapping[str, EventData]] = {
    "member-joined": MemberJoined(source="publication", source_ref="issue-41", reason="work_problem"),
    "member-left": MemberLeft(reason_code="self", joined_at=_NOW, joined_precision="hour"),
    "join-voided": JoinVoided(joined_at=_NOW, joined_precision="hour", reason_code="test", source="search"),
    "session-scheduled": SessionScheduled(starts_at=_NOW, ends_at=_NOW),
    "session-rescheduled": SessionRescheduled(starts_at=_NOW, ends_at=_NOW),
    "session-cancelled": SessionCancelled(reason_code="too_few"),
    "session-held": SessionHeld(started_at=_NOW, ended_at=_NOW, attendees=200),
    "archive-corrected": ArchiveCorrected(published_at=_NOW, kind="minutes"),
    "archive-withdrawn": ArchiveWithdrawn(reason_code="mistake"),
}
TYPES: Final = tuple(_DATA)


class Mould:
    """Makes records of one event name."""

    def __init__(self, name: str) -> None:
        entry = CATALOGUE.by_name(name)
        some = str(uuid.uuid4())
        envelope = Envelope(some, f"/kairan/{entry.publisher}", entry.type, some, _NOW, _NOW, 1)
        self._sample: Record = encode(Event(envelope, _DATA[name]))
        self.topic, self.value = self._sample.topic, self._sample.value

    def headers(self, number: int, key: bytes) -> list[tuple[str, Any]]:
        """The headers of event `number` about the aggregate `key`, recorded now."""
        now = write_time(datetime.now(UTC)).encode()
        fresh = {
            "ce_id": b"%08x-0000-4000-8000-%012x" % (_RUN, number),
            "ce_subject": key,
            "ce_time": now,
            "ce_recordedtime": now,
            "ce_aggregateversion": b"%d" % (number + 1),
        }
        return [(name, fresh.get(name, value)) for name, value in self._sample.headers]


_RUN: Final = uuid.uuid4().int >> 96


def key_of(index: int) -> bytes:
    """The id of aggregate `index`."""
    return b"00000000-0000-4000-8000-%012x" % index
