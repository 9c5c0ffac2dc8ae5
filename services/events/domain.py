"""What may happen to a session, an archive and the clock: pure decisions, `(state, command) -> Decision`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.events.requests import Correcting, Publishing, Scheduling
from shared.bus.command import Decision, NewEvent, Refused, State, When
from shared.catalogue.archive import ArchiveCorrected, ArchivePublished, ArchiveWithdrawn, Title, WithdrawReason
from shared.catalogue.clock import TimePassed
from shared.catalogue.fields import EventData
from shared.catalogue.session import (
    CancelReason,
    SessionCancelled,
    SessionHeld,
    SessionRescheduled,
    SessionScheduled,
)

CLOCK = "clock"
_CORRECTABLE = ("kind", "series_id", "session_id", "theme_ids", "audience")


@dataclass(frozen=True, slots=True)
class Schedule:
    session_id: str
    said: Scheduling
    starts_at: datetime
    ends_at: datetime
    when: When


@dataclass(frozen=True, slots=True)
class Reschedule:
    session_id: str
    starts_at: datetime
    ends_at: datetime
    when: When


@dataclass(frozen=True, slots=True)
class Cancel:
    session_id: str
    reason: CancelReason
    when: When


@dataclass(frozen=True, slots=True)
class Hold:
    """`latest`: the last moment at which a session can have ended; `started_at`, `ended_at`: None as scheduled."""

    session_id: str
    started_at: datetime | None
    ended_at: datetime | None
    attendees: int | None
    latest: datetime
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Publish:
    archive_id: str
    said: Publishing
    link_code: str
    when: When


@dataclass(frozen=True, slots=True)
class Correct:
    archive_id: str
    said: Correcting
    published_at: datetime | None
    when: When


@dataclass(frozen=True, slots=True)
class Withdraw:
    archive_id: str
    reason: WithdrawReason
    when: When


def schedule(state: State | None, command: Schedule) -> Decision:
    """Announces a session."""
    _refuse_existing(state)
    _refuse_backwards(command.starts_at, command.ends_at)
    said = command.said
    data = SessionScheduled(
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        theme_ids=said.theme_ids,
        series_id=said.series_id,
        section_ids=said.section_ids,
        modes=said.modes,
        capacity=said.capacity,
    )
    kept = {"title": said.title.model_dump(), "description": said.description, "place": said.place, "url": said.url}
    return Decision(
        state={**data.model_dump(), **kept, "scheduled_at": command.when.occurred_at},
        events=(_fact(command.session_id, data, command.when),),
        status=201,
    )


def reschedule(state: State | None, command: Reschedule) -> Decision:
    """Moves a session that is still to come."""
    session = _still_to_come(state)
    _refuse_backwards(command.starts_at, command.ends_at)
    times = {"starts_at": command.starts_at, "ends_at": command.ends_at}
    return Decision(
        state={**session, **times}, events=(_fact(command.session_id, SessionRescheduled(**times), command.when),)
    )


def cancel(state: State | None, command: Cancel) -> Decision:
    """Calls off a session that is still to come."""
    session = _still_to_come(state)
    return Decision(
        state={**session, "cancelled_at": command.when.occurred_at, "cancel_reason": command.reason},
        events=(_fact(command.session_id, SessionCancelled(reason_code=command.reason), command.when),),
    )


def hold(state: State | None, command: Hold) -> Decision:
    """Says that a session took place. It happened when it began; it cannot end after `latest`."""
    session = _still_to_come(state)
    started_at = command.started_at or session["starts_at"]
    ended_at = command.ended_at or session["ends_at"]
    _refuse_backwards(started_at, ended_at)
    if ended_at > command.latest:
        raise Refused(409, "not-held-yet", "Session is not over", "A session is held when it has ended.")
    data = SessionHeld(
        started_at=started_at,
        ended_at=ended_at,
        attendees=command.attendees,
        theme_ids=tuple(session["theme_ids"]),
        series_id=session["series_id"],
    )
    return Decision(
        state={**session, "started_at": started_at, "ended_at": ended_at, "attendees": command.attendees},
        events=(_fact(command.session_id, data, When(started_at, command.recorded_at)),),
    )


def publish(state: State | None, command: Publish) -> Decision:
    """Something reached the public at `when.occurred_at`."""
    _refuse_existing(state)
    said = command.said
    data = ArchivePublished(
        kind=said.kind,
        series_id=said.series_id,
        session_id=said.session_id,
        theme_ids=said.theme_ids,
        audience=said.audience,
        title=Title(ja=said.title.ja, en=said.title.en),
        link_code=command.link_code,
    )
    return Decision(
        state={**data.model_dump(), "link": said.link, "published_at": command.when.occurred_at},
        events=(_fact(command.archive_id, data, command.when),),
        status=201,
    )


def correct(state: State | None, command: Correct) -> Decision:
    """Corrects what was said about an archive; refuses a correction that changes nothing."""
    archive = _offered(state)
    changes = _changes(archive, command)
    link = command.said.link
    if not changes and (link is None or link == archive["link"]):
        raise Refused(409, "nothing-to-correct", "Nothing to correct", "All of this is already said about the archive.")
    title = {"title": Title(**changes["title"])} if "title" in changes else {}
    data = ArchiveCorrected(**{**changes, **title})
    return Decision(
        state={**archive, **changes, "link": link or archive["link"]},
        events=(_fact(command.archive_id, data, command.when),),
    )


def withdraw(state: State | None, command: Withdraw) -> Decision:
    """An archive is no longer offered; what it brought stays counted."""
    archive = _offered(state)
    return Decision(
        state={**archive, "withdrawn_at": command.when.occurred_at, "withdraw_reason": command.reason},
        events=(_fact(command.archive_id, ArchiveWithdrawn(reason_code=command.reason), command.when),),
    )


def pass_time(state: State | None, until: datetime) -> Decision:
    """Moves the clock on; it never goes back."""
    if state is not None and until < state["until"]:
        raise Refused(409, "clock-went-back", "The clock goes on only", "This moment is before the clock's now.")
    return Decision(state={"until": until}, events=(_fact(CLOCK, TimePassed(until=until), When(until)),))


def _changes(archive: State, command: Correct) -> dict[str, Any]:
    """What the correction says that differs from the record."""
    said: dict[str, Any] = {name: getattr(command.said, name) for name in _CORRECTABLE}
    said["theme_ids"] = None if said["theme_ids"] is None else list(said["theme_ids"])
    said["title"] = command.said.title.model_dump() if command.said.title else None
    said["published_at"] = command.published_at
    now = {**archive, "theme_ids": list(archive["theme_ids"])}
    return {name: value for name, value in said.items() if value is not None and value != now[name]}


def _still_to_come(state: State | None) -> State:
    if state is None:
        raise Refused(404, "session-not-found", "No such session", "There is no session with this id.")
    if state.get("cancelled_at"):
        raise Refused(409, "session-cancelled", "Session was cancelled", "A cancelled session stays as it is.")
    if state.get("started_at"):
        raise Refused(409, "session-held", "Session was held", "A session that was held stays as it is.")
    return state


def _offered(state: State | None) -> State:
    if state is None:
        raise Refused(404, "archive-not-found", "No such archive", "There is no archive with this id.")
    if state.get("withdrawn_at"):
        raise Refused(409, "archive-withdrawn", "Archive was withdrawn", "A withdrawn archive stays as it is.")
    return state


def _refuse_existing(state: State | None) -> None:
    if state is not None:
        raise Refused(409, "already-there", "Already there", "There is something with this id.")


def _refuse_backwards(start: datetime, end: datetime) -> None:
    if end <= start:
        raise Refused(409, "ends-before-start", "Ends before it starts", "A session ends after it starts.")


def _fact(subject: str, data: EventData, when: When) -> NewEvent:
    return NewEvent(data, when.occurred_at, subject, None, when.recorded_at)
