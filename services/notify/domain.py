"""What an endpoint's owner and its answers decide: create, pause, resume, disable, delete, exhaust. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.notify import globs
from services.notify.refusals import DISABLED, DISCLOSURE_NEEDED, TOO_MANY_ENDPOINTS, UNVERIFIED
from services.notify.refusals import NotPossible as NotPossible
from services.notify.rotation import NewSecret, rotated
from shared.catalogue import (
    CATALOGUE,
    RESERVED,
    DeliveryExhausted,
    DisableReason,
    EndpointDisabled,
    EndpointFailing,
    EventData,
)

State = dict[str, Any]
Identifiers = Literal["pairwise", "real"]
EndpointState = Literal["unverified", "active", "paused", "disabled", "deleted"]
Kind = Literal["webhook", "slack", "teams", "discord", "apprise"]
Language = Literal["ja", "en"]

TOPICS: Final = ("kairan.member", "kairan.session", "kairan.archive", "kairan.growth", "kairan.delivery")
"""What endpoints can hear. Never the member profiles, which could single a person out, nor the clock of a replay."""

CHAT_EVENTS: Final = (
    *("growth-spike-detected", "growth-spike-closed", "milestone-reached"),
    *("delivery-exhausted", "endpoint-failing", "endpoint-disabled"),
)
"""What a chat hears unless its owner says otherwise."""
MAX_PATTERNS: Final = 100
OFFERED: Final = tuple(name for name in CATALOGUE.names() if CATALOGUE.by_name(name).topic in TOPICS)
EVENT_NAMES: Final = (*OFFERED, *sorted(RESERVED))
DEFAULTS: Final[Mapping[str, Any]] = {
    "kind": "webhook",
    "language": "ja",
    "owner": "",
    "description": "",
    "filter": None,
    "ordered": False,
    "in_flight": None,
    "per_minute": None,
    "expires_after_s": None,
    "disclosure": None,
    "sealed_url": None,
    "signature": "v1",
    "place": None,
}
"""What an endpoint is unless its owner says otherwise."""


@dataclass(frozen=True)
class Change:
    """The endpoint's new state, what the bus hears about it, and which of its owner's places it takes or leaves."""

    state: State
    events: tuple[EventData, ...] = ()
    claims: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewEndpoint:
    """A wish that was checked: a target that the guard lets pass, secret and key already encrypted.

    `place` is the one of its owner's places that it takes; None when there is none left. A chat's URL is a secret:
    `url` is the masked one and `sealed_url` the true one; its `secret` is None, as nobody checks signatures.
    """

    url: str
    event_types: tuple[str, ...]
    identifiers: Identifiers
    secret: NewSecret | None
    pairwise_key: str
    created_ms: int
    owner: str
    place: str | None
    state: Literal["active", "unverified"] = "active"
    filter: Mapping[str, Any] | None = None
    description: str = ""
    ordered: bool = False
    in_flight: int | None = None
    per_minute: int | None = None
    expires_after_s: Mapping[str, float] | None = None
    kind: Kind = "webhook"
    language: Language = "ja"
    sealed_url: str | None = None
    disclosure: Mapping[str, Any] | None = None


def check_patterns(patterns: Sequence[str]) -> None:
    """Raises NotPossible (422) for a pattern that fits no event name there is or is to be."""
    lost = globs.unmatched(patterns, EVENT_NAMES)
    if lost:
        raise NotPossible(
            422,
            "unknown-event-type",
            "No event has such a name",
            f"{', '.join(lost)} matches none of: {', '.join(EVENT_NAMES)}.",
        )


def create(wish: NewEndpoint) -> Change:
    """A new, active endpoint. It hears what is recorded from `created_ms` (wall clock, Unix milliseconds) on."""
    if wish.place is None:
        raise TOO_MANY_ENDPOINTS
    return Change(
        {
            **DEFAULTS,
            "url": wish.url,
            "event_types": list(wish.event_types),
            "identifiers": wish.identifiers,
            "secrets": [wish.secret.document()] if wish.secret else [],
            "signature": wish.secret.signature if wish.secret else DEFAULTS["signature"],
            "pairwise_key": wish.pairwise_key,
            "created_ms": wish.created_ms,
            "owner": wish.owner,
            "place": wish.place,
            "filter": wish.filter,
            "description": wish.description,
            "ordered": wish.ordered,
            "in_flight": wish.in_flight,
            "per_minute": wish.per_minute,
            "expires_after_s": dict(wish.expires_after_s) if wish.expires_after_s else None,
            "kind": wish.kind,
            "language": wish.language,
            "sealed_url": wish.sealed_url,
            "disclosure": dict(wish.disclosure) if wish.disclosure else None,
            "state": wish.state,
            "reason": None,
        },
        claims=(wish.place,),
    )


def completed(document: Mapping[str, Any]) -> State:
    """The document with a value for every field, also of an endpoint made before there was one."""
    full = {**DEFAULTS, **document}
    secrets = [
        {"sealed": one, "created_ms": document["created_ms"], "expires_ms": None} if isinstance(one, str) else one
        for one in full["secrets"]
    ]
    return {**full, "secrets": secrets}


def update(state: Mapping[str, Any] | None, fields: Mapping[str, Any], challenging: bool = False) -> Change:
    """What the owner wants otherwise, from now on; None is what an endpoint has that says nothing.

    With `challenging`, another URL has to be verified before anything more is sent.
    """
    present = _alive(state)
    said = {name: DEFAULTS[name] if value is None else value for name, value in fields.items()}
    challenging = challenging and present.get("kind", "webhook") == "webhook"
    if challenging and said.get("url", present["url"]) != present["url"]:
        said |= {"state": "unverified", "reason": None}
    changed = {**present, **said}
    if changed["identifiers"] == "real" and "disclosure" in said and not said["disclosure"]:
        raise DISCLOSURE_NEEDED
    return Change(changed)


def verify(state: Mapping[str, Any] | None, url: str) -> Change:
    """The receiver at `url` has answered the challenge; one that waited for it is active from now on."""
    present = _alive(state)
    if present["url"] != url:
        raise NotPossible(409, "url-changed", "The URL was changed", "Another one was asked meanwhile; verify again.")
    return Change({**present, "state": "active"} if present["state"] == "unverified" else present)


def rotate(state: Mapping[str, Any] | None, secret: NewSecret, overlap_s: float) -> Change:
    """A new secret that signs from now on; those before it sign for `overlap_s` more at most, then are forgotten."""
    present = completed(_alive(state))
    signing = rotated(present["secrets"], secret, overlap_s)
    return Change({**present, "secrets": signing, "signature": secret.signature})


def sealed_values(document: Mapping[str, Any]) -> list[str]:
    """Everything of an endpoint that is kept encrypted."""
    full = completed(document)
    kept = [*(one["sealed"] for one in full["secrets"]), full["pairwise_key"], full["sealed_url"]]
    return [one for one in kept if one]


def reseal(state: Mapping[str, Any] | None, seal: Callable[[str], str]) -> Change:
    """The same secrets, encrypted anew."""
    present = completed(_alive(state))
    return Change(
        {
            **present,
            "secrets": [{**one, "sealed": seal(one["sealed"])} for one in present["secrets"]],
            "pairwise_key": seal(present["pairwise_key"]),
            "sealed_url": seal(present["sealed_url"]) if present["sealed_url"] else None,
        }
    )


def pause(state: Mapping[str, Any] | None) -> Change:
    """Deliveries wait until `resume`; nothing is lost."""
    present = _alive(state)
    if present["state"] == "disabled":
        raise DISABLED
    if present["state"] == "unverified":
        raise UNVERIFIED
    return Change({**present, "state": "paused", "reason": None})


def resume(state: Mapping[str, Any] | None) -> Change:
    """Deliver again. What was recorded while the endpoint was disabled is not made up for."""
    present = _alive(state)
    if present["state"] == "unverified":
        raise UNVERIFIED
    return Change({**present, "state": "active", "reason": None})


def test(state: Mapping[str, Any] | None) -> Change:
    """A test event is to be sent; nothing changes."""
    present = _alive(state)
    if present["state"] == "disabled":
        raise DISABLED
    if present["state"] == "unverified":
        raise UNVERIFIED
    return Change(present)


def disable(
    state: Mapping[str, Any] | None, reason: DisableReason, event_type: str | None = None, event_id: str | None = None
) -> Change:
    """No more deliveries, because of the answers; published once, however many answers say so."""
    present = _alive(state)
    if present["state"] == "disabled":
        return Change(present)
    told = EndpointDisabled(
        endpoint_id=present["_id"], reason_code=reason, last_event_type=event_type, last_event_id=event_id
    )
    return Change({**present, "state": "disabled", "reason": reason}, (told,))


def delete(state: Mapping[str, Any] | None) -> Change:
    """The owner wants no more; target and secrets are forgotten, the id stays so that the log can be read."""
    present = _alive(state)
    told = EndpointDisabled(endpoint_id=present["_id"], reason_code="owner")
    events = () if present["state"] == "disabled" else (told,)
    forgotten: State = {"url": "", "sealed_url": None, "secrets": [], "pairwise_key": "", "place": None}
    place = present.get("place")
    return Change(
        {**present, "state": "deleted", "reason": "owner", **forgotten}, events, releases=(place,) if place else ()
    )


def tell(state: Mapping[str, Any] | None, told: DeliveryExhausted | EndpointFailing) -> Change:
    """A delivery was given up, or all have failed for long; the endpoint itself stays as it is."""
    return Change(dict(_alive(state)), (told,))


def _alive(state: Mapping[str, Any] | None) -> State:
    if state is None or state["state"] == "deleted":
        raise NotPossible(404, "no-such-endpoint", "No such endpoint", "There is no endpoint with this id.")
    return dict(state)
