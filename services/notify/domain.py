"""What an endpoint's owner and its answers decide: create, pause, resume, disable, delete, exhaust. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.notify import globs
from services.notify.signing import MAX_ACTIVE_SECRETS, Signature
from shared.catalogue import CATALOGUE, RESERVED, DeliveryExhausted, DisableReason, EndpointDisabled, EventData

State = dict[str, Any]
Identifiers = Literal["pairwise", "real"]
EndpointState = Literal["unverified", "active", "paused", "disabled", "deleted"]
Kind = Literal["webhook", "slack", "teams", "discord", "apprise"]
Language = Literal["ja", "en"]

TOPICS: Final = ("kairan.member", "kairan.session", "kairan.archive", "kairan.growth", "kairan.delivery")
"""What endpoints can hear. Never the member profiles, which could single a person out, nor the clock of a replay."""

CHAT_EVENTS: Final = (
    *("growth-spike-detected", "growth-spike-closed", "milestone-reached"),
    *("delivery-exhausted", "endpoint-disabled"),
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


class NotPossible(Exception):
    """The command cannot be done; the caller hears `status`, `slug`, `title` and `detail` as a problem document."""

    def __init__(self, status: int, slug: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail


TOO_MANY_ENDPOINTS: Final = NotPossible(
    409,
    "too-many-endpoints",
    "Too many endpoints",
    "You have as many as you may; delete one, or let the operator raise KAIRAN_NOTIFY_MOST_ENDPOINTS.",
)
TOO_MANY_SECRETS: Final = NotPossible(
    409,
    "too-many-secrets",
    "Too many secrets",
    f"{MAX_ACTIVE_SECRETS} sign already; wait until the oldest has expired, or end the overlap with overlap_s.",
)


@dataclass(frozen=True)
class Change:
    """The endpoint's new state, what the bus hears about it, and which of its owner's places it takes or leaves."""

    state: State
    events: tuple[EventData, ...] = ()
    claims: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewSecret:
    """Encrypted; `public` is its public half, if it has one; `made_by` names the request, to find it at a repeat."""

    sealed: str
    created_ms: int
    signature: Signature
    public: str | None
    made_by: str | None

    def document(self) -> State:
        """As it stands among an endpoint's secrets."""
        stored = {"sealed": self.sealed, "created_ms": self.created_ms, "expires_ms": None}
        given = {"public": self.public, "made_by": self.made_by}
        return {**stored, **{name: value for name, value in given.items() if value is not None}}


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
            "state": "active",
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


def update(state: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> Change:
    """What the owner wants otherwise, from now on; None is what an endpoint has that says nothing."""
    said = {name: DEFAULTS[name] if value is None else value for name, value in fields.items()}
    changed = {**_alive(state), **said}
    if changed["identifiers"] == "real" and "disclosure" in said and not said["disclosure"]:
        raise NotPossible(
            422,
            "disclosure-needed",
            "A disclosure is needed",
            "The endpoint has real ids: say legal_basis, recipient, country and purpose, or delete it.",
        )
    return Change(changed)


def rotate(state: Mapping[str, Any] | None, secret: NewSecret, overlap_s: float) -> Change:
    """A new secret that signs from now on; those before it sign for `overlap_s` more at most, then are forgotten."""
    present = completed(_alive(state))
    until_ms = secret.created_ms + int(overlap_s * 1000)
    before = [
        {**one, "expires_ms": min(one["expires_ms"] or until_ms, until_ms)}
        for one in active(present["secrets"], secret.created_ms)
    ]
    overlapping = active(before, secret.created_ms)
    if len(overlapping) >= MAX_ACTIVE_SECRETS:
        raise TOO_MANY_SECRETS
    return Change({**present, "secrets": [secret.document(), *overlapping], "signature": secret.signature})


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


def active(secrets: Sequence[State], now_ms: int) -> list[State]:
    """Those that sign at this moment, newest first as they stand."""
    return [one for one in secrets if one["expires_ms"] is None or now_ms < one["expires_ms"]]


def pause(state: Mapping[str, Any] | None) -> Change:
    """Deliveries wait until `resume`; nothing is lost."""
    present = _alive(state)
    if present["state"] == "disabled":
        raise NotPossible(409, "endpoint-disabled", "The endpoint is disabled", "It receives nothing; resume it first.")
    return Change({**present, "state": "paused", "reason": None})


def resume(state: Mapping[str, Any] | None) -> Change:
    """Deliver again. What was recorded while the endpoint was disabled is not made up for."""
    return Change({**_alive(state), "state": "active", "reason": None})


def test(state: Mapping[str, Any] | None) -> Change:
    """A test event is to be sent; nothing changes."""
    present = _alive(state)
    if present["state"] in ("disabled", "unverified"):
        raise NotPossible(
            409,
            f"endpoint-{present['state']}",
            f"The endpoint is {present['state']}",
            "It receives nothing; resume it first." if present["state"] == "disabled" else "Verify it first.",
        )
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


def exhaust(state: Mapping[str, Any] | None, given_up: DeliveryExhausted) -> Change:
    """One delivery was given up; the endpoint itself stays as it is."""
    return Change(dict(_alive(state)), (given_up,))


def _alive(state: Mapping[str, Any] | None) -> State:
    if state is None or state["state"] == "deleted":
        raise NotPossible(404, "no-such-endpoint", "No such endpoint", "There is no endpoint with this id.")
    return dict(state)
