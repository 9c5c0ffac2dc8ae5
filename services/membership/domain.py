"""What may happen to a membership: pure decisions, `(state, command) -> Decision`.

A member's document keeps everything that could single a person out in one field, `personal`; an erase drops that field.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from services.membership.requests import Joining
from shared.bus.command import Decision, NewEvent, Refused, State, When
from shared.catalogue import CATALOGUE, EventData
from shared.catalogue.member import (
    EraseBasis,
    JoinVoided,
    LeaveReason,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberProfile,
    VoidReason,
)

PERSONAL = ("name", "email", "introduction", "organisation", "prefecture", "referrer_id")
# How far before the recorded join a member may have left, given how exactly the join is known.
_JOIN_MARGIN = {"hour": timedelta(hours=1), "day": timedelta(days=1), "unknown": None}
_PROFILE = CATALOGUE.for_model(MemberProfile)


@dataclass(frozen=True, slots=True)
class Join:
    member_id: str
    said: Joining
    when: When


@dataclass(frozen=True, slots=True)
class Leave:
    member_id: str
    reason: LeaveReason
    when: When


@dataclass(frozen=True, slots=True)
class Void:
    member_id: str
    reason: VoidReason
    when: When


@dataclass(frozen=True, slots=True)
class Erase:
    member_id: str
    basis: EraseBasis
    when: When


def join(state: State | None, command: Join) -> Decision:
    """Makes a member. Refuses an id that exists; the e-mail is claimed, so that nobody else can hold it."""
    if state is not None:
        raise Refused(409, "member-exists", "Member exists", "A member with this id has joined before.")
    said = command.said
    personal = {name: value for name in PERSONAL if (value := getattr(said, name)) is not None}
    joined = MemberJoined.model_construct(
        source=said.source,
        source_ref=said.source_ref,
        reason=said.reason,
        entrance_theme_id=said.entrance_theme_id,
        joined_precision=said.joined_precision,
    )
    profile = MemberProfile.model_construct(
        organisation=said.organisation, prefecture=said.prefecture, referrer_id=said.referrer_id
    )
    return Decision(
        state={**joined.__dict__, "joined_at": command.when.occurred_at, "personal": personal},
        events=(
            _fact(command.member_id, joined, command.when),
            _fact(command.member_id, profile, command.when, counted=False),
        ),
        status=201,
        claims=claims_of(said),
    )


def leave(state: State | None, command: Leave) -> Decision:
    """Ends a membership. Refuses who is not (any more) a member, and a leaving before the joining."""
    member = _present(state)
    _refuse_unless_belonging(member)
    margin = _JOIN_MARGIN[member["joined_precision"]]
    if margin is not None and command.when.occurred_at < member["joined_at"] - margin:
        raise Refused(409, "left-before-joined", "Left before joined", "A member cannot leave before joining.")
    left = _left(member, command.reason)
    return Decision(
        state={**member, "left_at": command.when.occurred_at, "left_reason": command.reason},
        events=(_fact(command.member_id, left, command.when),),
    )


def void(state: State | None, command: Void) -> Decision:
    """Says that a join never counted. The record stays, marked; the person's data stay until an erase."""
    member = _present(state)
    if member.get("voided_at"):
        raise Refused(409, "join-voided", "Join is void", "The join of this member is already void.")
    voided = JoinVoided(
        joined_at=member["joined_at"],
        joined_precision=member["joined_precision"],
        left_at=member.get("left_at"),
        reason_code=command.reason,
        entrance_theme_id=member.get("entrance_theme_id"),
        source=member["source"],
        source_ref=member.get("source_ref"),
    )
    return Decision(
        state={**member, "voided_at": command.when.occurred_at, "void_reason": command.reason},
        events=(_fact(command.member_id, voided, command.when),),
    )


def erase(state: State | None, command: Erase) -> Decision:
    """Removes everything that could single the member out, here and on the profile topic; a member leaves first."""
    member = _present(state)
    events = []
    kept = {name: value for name, value in member.items() if name != "personal"}
    if belongs(member):
        events.append(_fact(command.member_id, _left(member, "other"), command.when))
        kept |= {"left_at": command.when.occurred_at, "left_reason": "other"}
    events.append(_fact(command.member_id, MemberErased(basis=command.basis), command.when))
    events.append(
        NewEvent(None, command.when.occurred_at, command.member_id, _PROFILE, command.when.recorded_at, counted=False)
    )
    email = member.get("personal", {}).get("email")
    return Decision(
        state={**kept, "erased_at": command.when.occurred_at},
        events=tuple(events),
        releases=(email_claim(email),) if email else (),
    )


def belongs(member: State) -> bool:
    """Whether the community counts this one as a member now."""
    return not (member.get("left_at") or member.get("voided_at") or member.get("erased_at"))


def claims_of(said: Joining) -> tuple[str, ...]:
    """What this join wants for itself alone."""
    return (email_claim(said.email),) if said.email else ()


def email_claim(email: str) -> str:
    """The name under which an address is held: a hash of its normalised form, so that no claim shows an address."""
    return "email:" + hashlib.sha256(email.strip().casefold().encode()).hexdigest()


def refuse_erased() -> Refused:
    return Refused(410, "member-erased", "Member erased", "This member's data were erased.")


def refuse_unknown() -> Refused:
    return Refused(404, "member-not-found", "No such member", "There is no member with this id.")


def _present(state: State | None) -> State:
    if state is None:
        raise refuse_unknown()
    if state.get("erased_at"):
        raise refuse_erased()
    return state


def _left(member: State, reason: LeaveReason) -> MemberLeft:
    """Says when the member had joined, so that a counter of cohorts needs no table of members (ADR 0005)."""
    return MemberLeft(reason_code=reason, joined_at=member["joined_at"], joined_precision=member["joined_precision"])


def _refuse_unless_belonging(member: State) -> None:
    if member.get("left_at"):
        raise Refused(409, "member-left", "Member has left", "This member has already left.")
    if member.get("voided_at"):
        raise Refused(409, "join-voided", "Join is void", "The join of this member is void; there is nothing to leave.")


def _fact(member_id: str, data: EventData, when: When, *, counted: bool = True) -> NewEvent:
    return NewEvent(data, when.occurred_at, member_id, None, when.recorded_at, counted)
