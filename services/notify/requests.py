"""What a client may say about endpoints."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.notify.address_guard import SPECIAL_NAMES
from services.notify.disclosure import Disclosure
from services.notify.domain import CHAT_EVENTS, EVENT_NAMES, MAX_PATTERNS, Identifiers, Kind, Language
from services.notify.filter_schema import FILTER_SCHEMA
from services.notify.filters import MOST_BYTES, MOST_DEPTH, MOST_LEAVES
from services.notify.globs import PATTERN
from services.notify.shapes import shaped
from services.notify.signing import Signature
from services.notify.target import MAX_URL
from shared.requests import ONE_LINE, WHOLE, RequestBody

_LABEL: Final = "(?!..--)[A-Za-z0-9]([A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_NAME: Final = rf"({_LABEL}[.]){{1,4}}(?!({'|'.join(SPECIAL_NAMES)})([:/?#]|$))[A-Za-z]{{2,40}}"
_ESCAPE: Final = "%([2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|[89A-Fa-f][0-9A-Fa-f])"
_REST: Final = rf"([A-Za-z0-9#!$&'()*+,;=:@/?._~-]|{_ESCAPE})*"
# What is taken from everybody. International names and paths (of which more than one character is sent for each), IP
# addresses and networks that the operator has opened are taken too, but no pattern could tell which.
PLAIN_URL: Final = rf"^[Hh][Tt][Tt][Pp][Ss]://{_NAME}(:(443|8443))?([/?#]{_REST})?$"
MOST_IN_FLIGHT: Final = 64
MOST_PER_MINUTE: Final = 600_000
MOST_OVERLAP_S: Final = 30 * 86_400
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


EndpointUrl = Annotated[
    Url,
    Field(
        description="Where to POST. https to a public address, port 443 or 8443, also with international names and "
        "paths. Plain http and private addresses only inside networks that the operator has named."
    ),
]
EventTypes = Annotated[
    list[Pattern],
    Field(
        min_length=1,
        max_length=MAX_PATTERNS,
        description="Names of events; `*` stands for any run of characters, anywhere (`session-*`, `*-published`).",
    ),
]
Filter = Annotated[
    dict[str, Any],
    Field(
        description="Only events for which this condition holds, read over the event as it is sent: `all`, `any`, "
        "`not`, and leaves with a `path` (names joined by dots) and one of `equals`, `in`, `exists`, `prefix`, `range` "
        f"(`gt`, `gte`, `lt`, `lte` of numbers or times). At most {MOST_DEPTH} deep, {MOST_LEAVES} leaves, "
        f"{MOST_BYTES} bytes."
    ),
    WithJsonSchema(FILTER_SCHEMA),
]
Description = Annotated[str, Field(max_length=200, pattern=ONE_LINE, description="Shown to you, never sent.")]
Ordered = Annotated[
    bool,
    Field(
        description="Deliveries about one subject come one after another, in the order of the bus; one that fails "
        "holds up its own subject only."
    ),
]
InFlight = Annotated[
    int, Field(ge=1, le=MOST_IN_FLIGHT, description="Requests at a time; null leaves it to the operator."), WHOLE
]
PerMinute = Annotated[
    int, Field(ge=1, le=MOST_PER_MINUTE, description="At most so many requests a minute; null: no limit."), WHOLE
]
ExpiresAfter = Annotated[
    dict[Pattern, Annotated[float, Field(gt=0, le=90 * 86400)]],
    Field(
        max_length=MAX_PATTERNS,
        description="How many seconds after it was recorded an event is still worth sending, by pattern of its "
        "name; the shortest that fits counts. null: as long as attempts are made.",
    ),
]


Secret = Annotated[
    str,
    StringConstraints(max_length=128, pattern=r"^(whsec|whsk)_[A-Za-z0-9+/]{32,120}={0,2}$"),
    Field(
        description="Your own secret instead of a new one: `whsec_` and 24 to 64 bytes, or `whsk_` and an Ed25519 key."
    ),
    WithJsonSchema({"type": "string", "pattern": "^whsec_([A-Za-z0-9+/]{4}){8,21}$"}),
]
SignatureSaid = Annotated[
    Signature,
    Field(
        description="`v1`: HMAC-SHA256 under the secret. `v1a`: Ed25519; you are given its public key only. "
        "Of a secret of your own its prefix decides."
    ),
]


class Registering(RequestBody):
    """Somebody wants to be told."""

    model_config = ConfigDict(json_schema_extra=shaped)

    url: EndpointUrl
    event_types: Annotated[
        EventTypes | None, Field(description=f"A chat that says nothing hears {', '.join(CHAT_EVENTS)}.")
    ] = None
    kind: Annotated[
        Kind,
        Field(
            description="`webhook`: events, signed. `slack`, `teams`, `discord`, `apprise`: sentences for people, "
            "unsigned, to that service's incoming webhook; its URL is kept as a secret."
        ),
    ] = "webhook"
    language: Annotated[Language, Field(description="Of a chat's sentences.")] = "ja"
    identifiers: Annotated[
        Identifiers,
        Field(
            description="`pairwise`: people's and events' ids are this endpoint's own. `real`: as on the bus; needs "
            "the scope endpoints:trusted."
        ),
    ] = "pairwise"
    disclosure: Annotated[
        Disclosure | None, Field(description="Who gets people's real ids, and why; needed with `real`.")
    ] = None
    signature: SignatureSaid | None = None
    secret: Secret | None = None
    filter: Filter | None = None
    description: Description = ""
    ordered: Ordered = False
    in_flight: InFlight | None = None
    per_minute: PerMinute | None = None
    expires_after_s: ExpiresAfter | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Registering":
        if self.kind == "webhook" and self.event_types is None:
            raise PydanticCustomError("missing", "event_types is missing: say which events a webhook is to hear")
        if self.kind != "webhook" and self.identifiers == "real":
            raise PydanticCustomError(
                "identifiers", "identifiers must be pairwise: a chat hears sentences, in which no id of a person stands"
            )
        if self.kind != "webhook" and (self.secret is not None or self.signature is not None):
            raise PydanticCustomError("secret", "secret and signature are a webhook's: no chat service could check one")
        if self.identifiers == "real" and self.disclosure is None:
            raise PydanticCustomError(
                "missing",
                "disclosure is missing: before people's real ids are given away, say legal_basis, recipient, country "
                "and purpose",
            )
        return self


class Changing(RequestBody):
    """What an owner wants otherwise. What is not named stays; null is what an endpoint has that says nothing."""

    url: EndpointUrl = Field(default_factory=str)
    event_types: EventTypes = Field(default_factory=list)
    disclosure: Disclosure | None = None
    filter: Filter | None = None
    description: Description | None = None
    ordered: Ordered | None = None
    in_flight: InFlight | None = None
    per_minute: PerMinute | None = None
    expires_after_s: ExpiresAfter | None = None


class Rotating(RequestBody):
    """Another secret; what signed before signs on for a while, so that receivers can change in their own time."""

    overlap_s: Annotated[
        float,
        Field(ge=0, le=MOST_OVERLAP_S, description="How long the former secrets sign beside the new one, at most."),
    ] = 86_400
    signature: SignatureSaid | None = None
    secret: Secret | None = None


class Trying(RequestBody):
    """A filter and event types to try; those of the endpoint where nothing is said."""

    filter: Filter | None = None
    event_types: EventTypes | None = None


REGISTER: Final[dict[str, Any]] = {
    "url": "https://hooks.example.com/kairan",
    "event_types": ["member-joined", "session-*"],
    "identifiers": "pairwise",
}
CHANGE: Final[dict[str, Any]] = {
    "event_types": ["member-joined"],
    "filter": {"path": "data.source", "in": ["publication", "search"]},
}
ROTATE: Final[dict[str, Any]] = {"overlap_s": 86_400}
TRY: Final[dict[str, Any]] = {"filter": {"path": "data.source", "equals": "publication"}}
