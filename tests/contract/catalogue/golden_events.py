"""What each golden message means. The messages were written once; they are never edited, as the log is not.

`python -m tests.contract.catalogue.golden_events` writes those that are missing and touches no other.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.catalogue import (
    ArchiveCorrected,
    ArchivePublished,
    ArchiveWithdrawn,
    DeliveryExhausted,
    EndpointDisabled,
    EndpointFailing,
    Envelope,
    Event,
    EventData,
    GrowthSpikeClosed,
    GrowthSpikeDetected,
    JoinVoided,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberProfile,
    MilestoneReached,
    SessionCancelled,
    SessionHeld,
    SessionRescheduled,
    SessionScheduled,
    TimePassed,
    Title,
    encode,
)

FOLDER = Path(__file__).parent / "golden"

MEMBER = "5b0c1a52-3f6e-4d8e-9a51-0c7d2f1e8b34"
FRIEND = "c2f4be10-92a7-4a6b-8d0e-6e1f7a35d9c8"
SESSION = "8e2d4f60-17b3-4c59-b1aa-93f0c4d5e671"
ARCHIVE = "0f9a3d7c-5e21-4b88-a6d4-2c1b7e90f345"
ENDPOINT = "d41b6a2e-0c95-4f37-8b62-7a3e5d8c1f09"
THEME = "a7e53c18-64d2-4b0f-9c3e-1d8f2b6a4e70"
SERIES = "3c6f8b21-d9e4-47a5-8f10-5b2a7c4d9e63"
SECTION = "e8d1c4b7-2a36-4f59-9b08-6d7f3e5a1c24"
_TIME = datetime(2022, 3, 31, 9, 15, tzinfo=UTC)
_START = datetime(2022, 4, 9, 1, 0, tzinfo=UTC)
_SPIKE: dict[str, Any] = {
    "publication_id": ARCHIVE,
    "published_at": _TIME - timedelta(hours=6),
    "observed": 81,
    "expected": 50.25,
    "extra": 30.75,
    "low": 18,
    "high": 44,
    "log_evidence": 5.5,
}


def _event(kind: str, source: str, subject: str, data: EventData | None, number: int, **more: Any) -> Event:
    envelope = Envelope(
        id=f"7d0e4c9a-{number:04d}-5f3b-8a21-b6c5d4e3f201",
        source=f"/kairan/{source}",
        type=f"kairan.{kind}.v1",
        subject=subject,
        time=_TIME,
        recorded_time=_TIME + timedelta(milliseconds=1250),
        aggregate_version=number,
        **more,
    )
    return Event(envelope, data)


EXPECTED: dict[str, Event] = {
    "member-joined.v1": _event(
        "member-joined",
        "membership",
        MEMBER,
        MemberJoined(source="publication", source_ref=ARCHIVE, reason="to_learn", entrance_theme_id=THEME),
        1,
        correlation_id="f1a2b3c4-d5e6-4789-8abc-def012345678",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    "join-voided.v1": _event(
        "join-voided",
        "membership",
        MEMBER,
        JoinVoided(
            joined_at=_TIME - timedelta(days=2, microseconds=1),
            joined_precision="hour",
            left_at=_TIME - timedelta(days=1),
            reason_code="duplicate",
            entrance_theme_id=THEME,
            source="publication",
        ),
        3,
    ),
    "member-left.v1": _event("member-left", "membership", MEMBER, MemberLeft(reason_code="self"), 2),
    "member-erased.v1": _event("member-erased", "membership", MEMBER, MemberErased(basis="request"), 4),
    "member-profile.v1": _event(
        "member-profile",
        "membership",
        MEMBER,
        MemberProfile(organisation="見本市役所", prefecture="見本県", referrer_id=FRIEND),
        2,
        causation_id="7d0e4c9a-0001-5f3b-8a21-b6c5d4e3f201",
    ),
    "member-profile.v1.tombstone": _event("member-profile", "membership", MEMBER, None, 5),
    "session-scheduled.v1": _event(
        "session-scheduled",
        "events",
        SESSION,
        SessionScheduled(
            starts_at=_START,
            ends_at=_START + timedelta(hours=2),
            theme_ids=(THEME,),
            series_id=SERIES,
            section_ids=(SECTION,),
            modes=("face_and_voice", "listen_only", "chat_only", "archive"),
            capacity=300,
        ),
        1,
    ),
    "session-rescheduled.v1": _event(
        "session-rescheduled",
        "events",
        SESSION,
        SessionRescheduled(starts_at=_START + timedelta(days=7), ends_at=_START + timedelta(days=7, hours=2)),
        2,
    ),
    "session-cancelled.v1": _event(
        "session-cancelled", "events", SESSION, SessionCancelled(reason_code="host_unavailable"), 3
    ),
    "session-held.v1": _event(
        "session-held",
        "events",
        SESSION,
        SessionHeld(
            started_at=_START,
            ended_at=_START + timedelta(hours=2, minutes=5),
            attendees=204,
            theme_ids=(THEME,),
            series_id=SERIES,
        ),
        3,
    ),
    "archive-published.v1": _event(
        "archive-published",
        "events",
        ARCHIVE,
        ArchivePublished(
            kind="magazine_issue",
            series_id=SERIES,
            theme_ids=(THEME,),
            audience="public",
            title=Title(ja="見本の特集号", en="A sample issue"),
            link_code="sample-22",
        ),
        1,
    ),
    "archive-corrected.v1": _event(
        "archive-corrected",
        "events",
        ARCHIVE,
        ArchiveCorrected(published_at=_TIME - timedelta(hours=3), session_id=SESSION, theme_ids=()),
        2,
    ),
    "archive-withdrawn.v1": _event("archive-withdrawn", "events", ARCHIVE, ArchiveWithdrawn(reason_code="mistake"), 3),
    "growth-spike-detected.v1": _event(
        "growth-spike-detected",
        "metrics",
        ARCHIVE,
        GrowthSpikeDetected(
            kind="magazine_issue",
            theme_id=THEME,
            as_of=_TIME + timedelta(minutes=45),
            verdict="clear",
            **_SPIKE,
        ),
        1,
    ),
    "growth-spike-closed.v1": _event(
        "growth-spike-closed",
        "metrics",
        ARCHIVE,
        GrowthSpikeClosed(
            kind="magazine_issue",
            as_of=_TIME + timedelta(days=7),
            verdict="likely",
            alarm_at=_TIME - timedelta(minutes=15),
            credit=36.25,
            credit_low=20.5,
            credit_high=52.0,
            joint_with=(SESSION,),
            joint_credit=48.5,
            joint_low=31.0,
            joint_high=66.75,
            **_SPIKE,
        ),
        2,
    ),
    "milestone-reached.v1": _event(
        "milestone-reached",
        "metrics",
        "community",
        MilestoneReached(measure="members", value=5000, as_of=_TIME + timedelta(minutes=45)),
        6,
    ),
    "delivery-exhausted.v1": _event(
        "delivery-exhausted",
        "notify",
        ENDPOINT,
        DeliveryExhausted(
            endpoint_id=ENDPOINT,
            event_type="kairan.member-joined.v1",
            event_id="7d0e4c9a-0001-5f3b-8a21-b6c5d4e3f201",
            attempts=10,
            last_status=503,
        ),
        1,
    ),
    "endpoint-failing.v1": _event(
        "endpoint-failing",
        "notify",
        ENDPOINT,
        EndpointFailing(
            endpoint_id=ENDPOINT,
            hours=24,
            event_type="kairan.member-joined.v1",
            event_id="7d0e4c9a-0001-5f3b-8a21-b6c5d4e3f201",
        ),
        2,
    ),
    "endpoint-disabled.v1": _event(
        "endpoint-disabled",
        "notify",
        ENDPOINT,
        EndpointDisabled(
            endpoint_id=ENDPOINT,
            reason_code="gone",
            last_event_type="kairan.member-joined.v1",
            last_event_id="7d0e4c9a-0001-5f3b-8a21-b6c5d4e3f201",
        ),
        2,
    ),
    "time-passed.v1": _event("time-passed", "events", "clock", TimePassed(until=_TIME), 1),
}

UPCAST: dict[str, Event] = {}
"""What the golden message of an old version means today, where a newer version took its place."""


def write_missing() -> list[str]:
    """Writes a golden message for each event above that has none, and returns their names."""
    missing = [name for name in EXPECTED if not (FOLDER / f"{name}.json").exists()]
    for name in missing:
        record = encode(EXPECTED[name])
        message = {
            "topic": record.topic,
            "key": record.key.decode(),
            "headers": {header: text.decode() for header, text in record.headers},
            "value": record.value.decode() if record.value is not None else None,
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(message, ensure_ascii=False, indent=2) + "\n")
    return missing


if __name__ == "__main__":
    write_missing()
