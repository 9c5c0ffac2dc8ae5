"""What a client may say about endpoints, and what it is shown of them and of their deliveries."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from services.notify.address_guard import SPECIAL_NAMES
from services.notify.domain import EVENT_NAMES, MAX_PATTERNS, EndpointState, Identifiers
from services.notify.globs import PATTERN
from services.notify.outcome import DeliveryState, Failure
from services.notify.target import MAX_URL

_LABEL: Final = "(?!..--)[A-Za-z0-9]([A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_NAME: Final = rf"({_LABEL}[.]){{1,4}}(?!({'|'.join(SPECIAL_NAMES)})([:/?#]|$))[A-Za-z]{{2,40}}"
_ESCAPE: Final = "%([2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|[89A-Fa-f][0-9A-Fa-f])"
_REST: Final = rf"([A-Za-z0-9#!$&'()*+,;=:@/?._~-]|{_ESCAPE})*"
# What is taken from everybody. International names and paths (of which more than one character is sent for each), IP
# addresses and networks that the operator has opened are taken too, but no pattern could tell which.
PLAIN_URL: Final = rf"^[Hh][Tt][Tt][Pp][Ss]://{_NAME}(:(443|8443))?([/?#]{_REST})?$"
_FAMILIES: Final = sorted({name.split("-")[0] for name in EVENT_NAMES})

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_URL),
    # One less, as an empty path is sent as "/".
    WithJsonSchema({"type": "string", "maxLength": MAX_URL - 1, "pattern": PLAIN_URL}),
]
Pattern = Annotated[
    str,
    StringConstraints(pattern=f"^{PATTERN.pattern}$"),
    WithJsonSchema({"type": "string", "enum": ["*", *(f"{family}-*" for family in _FAMILIES), *EVENT_NAMES]}),
]


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Registering(_Said):
    """Somebody wants to be told."""

    url: Annotated[
        Url,
        Field(
            description="Where to POST. https to a public address, port 443 or 8443, also with international names and "
            "paths. Plain http and private addresses only inside networks that the operator has named."
        ),
    ]
    event_types: Annotated[
        list[Pattern],
        Field(
            min_length=1,
            max_length=MAX_PATTERNS,
            description="Names of events; `*` stands for any run of characters, anywhere (`session-*`, `*-published`).",
        ),
    ]
    identifiers: Annotated[
        Identifiers,
        Field(
            description="`pairwise`: people's and events' ids are this endpoint's own. `real`: as on the bus; needs "
            "the scope endpoints:trusted."
        ),
    ] = "pairwise"


class Registered(BaseModel):
    """The one answer that shows the secret; a repeat with the same Idempotency-Key shows it again."""

    id: str
    version: Annotated[int, Field(ge=1)]
    secret: Annotated[str, Field(description="whsec_ and the key in base64: what signatures are checked with.")]


class EndpointShown(BaseModel):
    """An endpoint, without its secret."""

    id: str
    version: Annotated[int, Field(ge=1)]
    url: str
    event_types: list[str]
    identifiers: Identifiers
    state: EndpointState
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
    """One event for one endpoint; never its payload. `id` is the `webhook-id`, `event_id` the event's id on the bus."""

    id: str
    endpoint_id: str
    sequence: int
    event_type: str
    event_id: str
    state: DeliveryState
    planned_at: datetime
    next_attempt_at: Annotated[datetime | None, Field(description="While it waits.")]
    attempts: list[AttemptShown]


class DeliveryList(BaseModel):
    deliveries: list[DeliveryShown]


REGISTER: Final[dict[str, Any]] = {
    "url": "https://hooks.example.com/kairan",
    "event_types": ["member-joined", "session-*"],
    "identifiers": "pairwise",
}
StateFilter = Literal["waiting", "delivered", "exhausted", "dropped"]
