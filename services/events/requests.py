"""What a client may say about sessions, archives and the clock: request bodies, and the records as they are shown."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from shared.catalogue.archive import ArchiveKind, Audience, WithdrawReason
from shared.catalogue.fields import Id
from shared.catalogue.session import CancelReason, ParticipationMode
from shared.requests import LINES, ONE_LINE, WHOLE, Moment, RecordedAt, RequestBody

Line = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=ONE_LINE)]
"""One line of text without control characters."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=8000, pattern=LINES)]
"""Free text; line breaks and tabs are its only control characters."""

Link = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[!-~]{1,1990}$")]
"""An http(s) address. It stays in this service."""


MOST_PEOPLE = 10_000_000
Attendees = Annotated[int, Field(ge=0, le=MOST_PEOPLE), WHOLE]
Capacity = Annotated[int, Field(ge=1, le=MOST_PEOPLE), WHOLE]

Ids = Annotated[tuple[Id, ...], Field(max_length=50)]
_OCCURRED = "When it happened, if not now; from 1970 to now. Needs the scope history:write."


class Titled(RequestBody):
    """A title in both languages of the community."""

    ja: Annotated[Line, Field(description="In Japanese.")]
    en: Annotated[Line, Field(description="In English.")]


class _Told(RequestBody):
    occurred_at: Annotated[Moment | None, Field(description=_OCCURRED)] = None
    recorded_at: RecordedAt = None


class Scheduling(_Told):
    """A session is announced. Title, description, place and url stay in this service."""

    title: Titled
    description: Annotated[Prose | None, Field(description="What it is about.")] = None
    place: Annotated[Line | None, Field(description="Where it is.")] = None
    url: Annotated[Link | None, Field(description="Where to take part.")] = None
    starts_at: Moment
    ends_at: Annotated[Moment, Field(description="After starts_at.")]
    theme_ids: Ids = ()
    series_id: Id | None = None
    section_ids: Annotated[Ids, Field(description="The sections (課) that hold it; it is open to all.")] = ()
    modes: Annotated[
        tuple[ParticipationMode, ...], Field(max_length=8, description="The ways of taking part; all are full.")
    ] = ("face_and_voice", "listen_only", "chat_only", "archive")
    capacity: Annotated[Capacity | None, Field(description="How many can take part live.")] = None


class Rescheduling(_Told):
    """A session is moved."""

    starts_at: Moment
    ends_at: Annotated[Moment, Field(description="After starts_at.")]


class Cancelling(_Told):
    """A session will not take place."""

    reason_code: CancelReason = "other"


class Holding(RequestBody):
    """A session took place."""

    started_at: Annotated[Moment | None, Field(description="When it began; as scheduled if not given.")] = None
    ended_at: Annotated[Moment | None, Field(description="When it ended; as scheduled if not given.")] = None
    attendees: Annotated[Attendees | None, Field(description="How many took part live, in any mode.")] = None
    recorded_at: RecordedAt = None


class Publishing(_Told):
    """Something reaches the public. The title is public; the link stays in this service."""

    kind: ArchiveKind
    title: Annotated[Titled, Field(description="Public: it travels on the log, and the form says so.")]
    series_id: Id | None = None
    session_id: Annotated[Id | None, Field(description="The session that it comes from; it must be known here.")] = None
    theme_ids: Ids = ()
    audience: Audience = "public"
    link: Annotated[Link | None, Field(description="Where it is.")] = None


class Correcting(RequestBody):
    """What was said about an archive was wrong. What is null or absent is unchanged."""

    published_at: Annotated[
        Moment | None, Field(description="The true moment of publication. Needs the scope history:write.")
    ] = None
    kind: ArchiveKind | None = None
    title: Titled | None = None
    series_id: Id | None = None
    session_id: Id | None = None
    theme_ids: Ids | None = None
    audience: Audience | None = None
    link: Link | None = None
    recorded_at: RecordedAt = None


class Withdrawing(_Told):
    """An archive is no longer offered."""

    reason_code: WithdrawReason = "other"


class TimePassing(RequestBody):
    """All that happened before `until` has been told."""

    until: Annotated[Moment, Field(description="The community's now; never before the last one.")]


class SessionRecord(BaseModel):
    """A session as this service knows it."""

    id: str
    version: Annotated[int, Field(ge=1, description="The number of facts about it so far.")]
    title: Titled
    description: str | None
    place: str | None
    url: str | None
    starts_at: datetime
    ends_at: datetime
    theme_ids: tuple[str, ...]
    series_id: str | None
    section_ids: tuple[str, ...]
    modes: tuple[ParticipationMode, ...]
    capacity: int | None
    scheduled_at: datetime
    cancelled_at: datetime | None
    cancel_reason: CancelReason | None
    started_at: Annotated[datetime | None, Field(description="When it really began; null until it was held.")]
    ended_at: datetime | None
    attendees: int | None


class ArchiveRecord(BaseModel):
    """An archive as this service knows it."""

    id: str
    version: Annotated[int, Field(ge=1, description="The number of facts about it so far.")]
    kind: ArchiveKind
    title: Titled
    series_id: str | None
    session_id: str | None
    theme_ids: tuple[str, ...]
    audience: Audience
    link: str | None
    link_code: Annotated[str, Field(description="The code of its short link; random.")]
    published_at: datetime
    withdrawn_at: datetime | None
    withdraw_reason: WithdrawReason | None
