"""Events about a member: who belongs. The subject is the member's random id; nothing here names anybody."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, UtcTime, about

JoinSource = Literal["referral", "publication", "broadcast", "session", "search", "other", "unknown"]
JoinReason = Literal["curiosity", "work_problem", "transfer", "invited", "to_learn", "other"]
JoinedPrecision = Literal["hour", "day", "unknown"]
VoidReason = Literal["duplicate", "not_public_servant", "test", "other"]
LeaveReason = Literal["self", "retired", "other"]
EraseBasis = Literal["request", "retention"]

_SOURCE = "How the member says they found the community."
_SOURCE_REF = "The publication, broadcast or session named as the source, by its id or link code; never a person."
_THEME = "The theme through whose entrance the member came in; null when through none or not known."
_PRECISION = "How exactly the moment of joining is known. `day` and `unknown` count as members but are never growth."


class MemberJoined(EventData):
    """A verified public servant became a member. The event's time is the moment of joining."""

    source: Annotated[JoinSource, about(_SOURCE)]
    source_ref: Annotated[
        Id | None,
        about(_SOURCE_REF, names="publication"),
    ] = None
    reason: Annotated[JoinReason | None, about("What the member came for; null when not asked.")] = None
    entrance_theme_id: Annotated[Id | None, about(_THEME, names="theme")] = None
    joined_precision: Annotated[JoinedPrecision, about(_PRECISION)] = "hour"


class JoinVoided(EventData):
    """A join never counted: it was a mistake. Self-contained, so that a counter can undo it in any order."""

    joined_at: Annotated[UtcTime, about("The moment of the voided join, as its event said.", unit="time (RFC 3339)")]
    joined_precision: Annotated[JoinedPrecision, about(_PRECISION + " Of the voided join.")]
    left_at: Annotated[
        UtcTime | None, about("When the member had left before the void; null if they had not.", unit="time (RFC 3339)")
    ] = None
    reason_code: Annotated[VoidReason, about("Why the join is void.")]
    entrance_theme_id: Annotated[Id | None, about(_THEME + " Of the voided join.", names="theme")] = None
    source: Annotated[JoinSource, about(_SOURCE + " Of the voided join.")]
    source_ref: Annotated[Id | None, about(_SOURCE_REF + " Of the voided join.", names="publication")] = None


class MemberLeft(EventData):
    """A member left. Being quiet is not leaving."""

    reason_code: Annotated[LeaveReason, about("Why the member left: own wish, no longer a public servant, other.")]
    joined_at: Annotated[
        UtcTime | None, about("The moment of joining, as its event said; null in old events.", unit="time (RFC 3339)")
    ] = None
    joined_precision: Annotated[JoinedPrecision | None, about(_PRECISION + " Null in old events.")] = None


class MemberErased(EventData):
    """Everything that could single the member out is gone; the random id stays and means nobody."""

    basis: Annotated[EraseBasis, about("What the erasure rests on: the member's request, or the retention rule.")]


class MemberProfile(EventData):
    """What could single a member out. Compacted: the last record counts, and a tombstone empties it."""

    organisation: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=200)] | None,
        about("The public body the member works for; null when not given.", personal="personal"),
    ] = None
    prefecture: Annotated[
        Annotated[str, StringConstraints(min_length=1, max_length=200)] | None,
        about("The prefecture the member works in; null when not given.", personal="personal"),
    ] = None
    referrer_id: Annotated[
        Id | None,
        about("The member who brought this one along; null when nobody did.", personal="person_id", names="member"),
    ] = None


def _member(name: str, model: type[EventData], summary_en: str, summary_ja: str) -> EventType:
    return EventType(
        name=name,
        version=1,
        topic="kairan.member",
        model=model,
        publisher="membership",
        summary_en=summary_en,
        summary_ja=summary_ja,
        subject="member",
        subject_is_person=True,
    )


TYPES = (
    _member("member-joined", MemberJoined, "A verified public servant joined.", "公務員と確認された人が入会した。"),
    _member("join-voided", JoinVoided, "A join was a mistake and never counted.", "入会が誤りとして取り消された。"),
    _member("member-left", MemberLeft, "A member left.", "会員が退会した。"),
    _member("member-erased", MemberErased, "A member's data were erased.", "会員の個人情報が消去された。"),
    EventType(
        name="member-profile",
        version=1,
        topic="kairan.member-profile",
        model=MemberProfile,
        publisher="membership",
        summary_en="What could single a member out; emptied by a tombstone on erasure.",
        summary_ja="会員を特定しうる情報。消去時には空の記録で上書きされる。",
        subject="member",
        subject_is_person=True,
        tombstones=True,
    ),
)
