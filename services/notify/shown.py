"""What an owner is shown of endpoints and of their deliveries: the models, and the documents in their words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.notify.audit import Operation
from services.notify.delivery import UNTRIED
from services.notify.desk import DEGRADED
from services.notify.disclosure import Disclosure
from services.notify.domain import EndpointState, Identifiers, Kind, Language, completed
from services.notify.dry_run import Tried, WhyNot
from services.notify.exchange import version
from services.notify.issued import Issued
from services.notify.outcome import DeliveryState, Failure
from services.notify.rotation import active
from services.notify.signing import Signature
from shared.clock import moment_of, wall_ms
from shared.store.mongo import Document


class Registered(BaseModel):
    """The one answer that shows the secret; a repeat with the same Idempotency-Key shows it again."""

    id: str
    version: Annotated[int, Field(ge=1)]
    secret: Annotated[
        str | None,
        Field(description="whsec_ and the key in base64, for checking signatures. null for `v1a`; a chat has none."),
    ] = None
    public_key: Annotated[str | None, Field(description="For `v1a`: whpk_ and the public key in base64.")] = None


class SecretShown(BaseModel):
    """A secret that signs, without itself."""

    created_at: datetime
    expires_at: Annotated[datetime | None, Field(description="When it ends, if another has replaced it.")]
    public_key: Annotated[str | None, Field(description="For `v1a`: whpk_ and the public key in base64.")]


class EndpointShown(BaseModel):
    """An endpoint, without its secret."""

    id: str
    version: Annotated[int, Field(ge=1)]
    url: Annotated[str, Field(description="Of a chat, whose URL is a secret: masked.")]
    event_types: list[str]
    identifiers: Identifiers
    kind: Kind
    language: Language
    owner: str
    disclosure: Disclosure | None
    signature: Signature
    secrets: Annotated[list[SecretShown], Field(description="What signs now, newest first.")]
    filter: dict[str, Any] | None
    description: str
    ordered: bool
    in_flight: int | None
    per_minute: int | None
    expires_after_s: dict[str, float] | None
    state: Annotated[
        EndpointState | Literal["degraded"],
        Field(description="`degraded`: active, but it failed so often that only a probe is sent now and then."),
    ]
    reason: Annotated[str | None, Field(description="Why it is disabled: gone (410), failing (5 days), or null.")]
    created_at: datetime


class EndpointList(BaseModel):
    endpoints: list[EndpointShown]


class AttemptShown(BaseModel):
    """One request: `status` is null when there was no answer."""

    at: datetime
    status: int | None
    duration_ms: float
    error: Annotated[Failure | None, Field(description="Why it did not deliver; null when it did.")]


class DeliveryShown(BaseModel):
    """One event for one endpoint; never its payload. `id` is the `webhook-id`, `event_id` the `id` in the payload.

    Who sees everybody's endpoints sees the event's id on the bus instead.
    """

    id: str
    endpoint_id: str
    sequence: int
    event_type: str
    event_id: str
    state: DeliveryState
    planned_at: datetime
    next_attempt_at: Annotated[datetime | None, Field(description="While it waits, unless it is blocked.")]
    blocked: Annotated[
        bool,
        Field(
            description="Of an ordered endpoint: one about the same subject came before it and has not ended. Of an "
            "exhausted one: it blocks those after it until you replay or skip it."
        ),
    ]
    attempts: list[AttemptShown]


class TriedShown(BaseModel):
    """An event of the log, with the ids that the endpoint would see."""

    id: str
    type: str
    time: datetime
    match: Annotated[bool, Field(description="Whether it would have been delivered.")]
    why_not: Annotated[
        WhyNot | None,
        Field(description="`event_types` or `filter` do not fit, or it is about the endpoint `itself`; else null."),
    ]
    place: Annotated[str | None, Field(description="The part of the filter that decided, e.g. `filter.all[1]`.")]


class DryRun(BaseModel):
    """The last events of the log, newest first, 100 at most."""

    looked_at: Annotated[int, Field(ge=0, le=100, description="How many events.")]
    matched: Annotated[int, Field(ge=0, le=100, description="How many of them would have been delivered.")]
    events: list[TriedShown]


class SentShown(BaseModel):
    """A test event that is on its way; what becomes of it stands in the log of deliveries."""

    delivery_id: Annotated[str, Field(description="Its webhook-id.")]
    event_id: str
    sequence: Annotated[int, Field(ge=1, description="Its webhook-sequence.")]


class AuditLine(BaseModel):
    """One change: who asked for it, and the names of what it changed, never their values."""

    at: datetime
    subject: Annotated[str, Field(description="Of the token; kairan-notify for what the service itself concludes.")]
    operation: Operation
    changed: list[str]


class Audit(BaseModel):
    lines: list[AuditLine]


def issued_shown(issued: Issued) -> dict[str, object]:
    """As a Registered."""
    shown = {"id": issued.outcome.resource_id, "version": version(issued.outcome.version)}
    if issued.public_key is not None:
        return {**shown, "secret": None, "public_key": issued.public_key}
    return shown if issued.secret is None else {**shown, "secret": issued.secret}


def audit_shown(found: Sequence[Document]) -> dict[str, object]:
    """As an Audit."""
    return {"lines": [{name: line[name] for name in AuditLine.model_fields} for line in found]}


def endpoint_shown(endpoint: Document) -> dict[str, object]:
    """As an EndpointShown."""
    full = completed(endpoint)
    given = EndpointShown.model_fields.keys() - {"id", "version", "created_at", "secrets"}
    return {
        "id": full["_id"],
        "version": version(full["version"]),
        **{name: full[name] for name in sorted(given)},
        "state": "degraded" if full["state"] == "active" and full.get(DEGRADED) else full["state"],
        "secrets": [
            {
                "created_at": moment_of(one["created_ms"]),
                "expires_at": None if one["expires_ms"] is None else moment_of(one["expires_ms"]),
                "public_key": one.get("public"),
            }
            for one in active(full["secrets"], wall_ms())
        ],
        "created_at": moment_of(full["created_ms"]),
    }


def delivery_shown(found: Document) -> dict[str, object]:
    """As a DeliveryShown."""
    return {
        "id": found["_id"],
        "endpoint_id": found["endpoint"],
        **{name: found[name] for name in ("sequence", "event_type", "event_id", "state", "planned_at")},
        "next_attempt_at": _next_attempt(found),
        "blocked": bool(found.get("behind")) or (found["state"] == "exhausted" and bool(found.get("holds"))),
        "attempts": [attempt_shown(attempt) for attempt in found["attempts"]],
    }


def attempt_shown(attempt: Document) -> dict[str, object]:
    """As an AttemptShown."""
    return {
        "at": moment_of(attempt["at_ms"]),
        "status": attempt["status"],
        "duration_ms": attempt["duration_ms"],
        "error": attempt["failure"],
    }


def _next_attempt(found: Document) -> datetime | None:
    """None for what has ended, and for what waits until those before it, of the same key, have ended."""
    if found["state"] != "waiting" or "next_at_ms" not in found:
        return None
    planned: datetime = found["planned_at"]
    return planned if found["next_at_ms"] == UNTRIED else moment_of(found["next_at_ms"])


def dry_run_shown(found: Sequence[Tried]) -> dict[str, object]:
    """As a DryRun."""
    events = [
        {
            **{name: one.message[name] for name in ("id", "type", "time")},
            "match": one.why_not is None,
            "why_not": one.why_not,
            "place": one.place,
        }
        for one in found
    ]
    return {"looked_at": len(events), "matched": sum(one["match"] for one in events), "events": events}
