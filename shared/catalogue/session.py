"""Events about a session (勉強会・集まり). Titles and links stay in the service; the log has ids, times and counts."""

from typing import Annotated, Literal

from pydantic import Field

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, UtcTime, about

ParticipationMode = Literal["face_and_voice", "listen_only", "chat_only", "archive"]
CancelReason = Literal["host_unavailable", "too_few", "emergency", "other"]

_TIME = "time (RFC 3339)"
_THEMES = "The themes it is about."
_SERIES = "The series it belongs to; null when to none."


class SessionScheduled(EventData):
    """A session was announced."""

    starts_at: Annotated[UtcTime, about("When it is to begin.", unit=_TIME)]
    ends_at: Annotated[UtcTime, about("When it is to end.", unit=_TIME)]
    theme_ids: Annotated[tuple[Id, ...], about(_THEMES, names="theme")] = ()
    series_id: Annotated[Id | None, about(_SERIES, names="series")] = None
    section_ids: Annotated[tuple[Id, ...], about("The sections (課) that hold it; open to all.", names="section")] = ()
    modes: Annotated[tuple[ParticipationMode, ...], about("The ways of taking part that it offers; all are full.")] = ()
    capacity: Annotated[
        Annotated[int, Field(ge=1)] | None, about("How many can take part live; null when open.", unit="people")
    ] = None


class SessionRescheduled(EventData):
    """A session was moved to another time."""

    starts_at: Annotated[UtcTime, about("When it is to begin now.", unit=_TIME)]
    ends_at: Annotated[UtcTime, about("When it is to end now.", unit=_TIME)]


class SessionCancelled(EventData):
    """A session will not take place."""

    reason_code: Annotated[CancelReason, about("Why it will not take place.")]


class SessionHeld(EventData):
    """A session took place. The event's time is the moment it began."""

    started_at: Annotated[UtcTime, about("When it really began.", unit=_TIME)]
    ended_at: Annotated[UtcTime, about("When it really ended.", unit=_TIME)]
    attendees: Annotated[
        Annotated[int, Field(ge=0)] | None,
        about("How many took part live, in any mode; null when not counted.", unit="people"),
    ] = None
    theme_ids: Annotated[tuple[Id, ...], about(_THEMES, names="theme")] = ()
    series_id: Annotated[Id | None, about(_SERIES, names="series")] = None


def _session(name: str, model: type[EventData], summary_en: str, summary_ja: str) -> EventType:
    return EventType(
        name=name,
        version=1,
        topic="kairan.session",
        model=model,
        publisher="events",
        summary_en=summary_en,
        summary_ja=summary_ja,
        subject="session",
    )


TYPES = (
    _session("session-scheduled", SessionScheduled, "A session was announced.", "勉強会・集まりが告知された。"),
    _session("session-rescheduled", SessionRescheduled, "A session was moved.", "勉強会・集まりの日時が変わった。"),
    _session("session-cancelled", SessionCancelled, "A session was called off.", "勉強会・集まりが中止になった。"),
    _session("session-held", SessionHeld, "A session took place.", "勉強会・集まりが開かれた。"),
)
