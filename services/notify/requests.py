"""What a client may say about endpoints."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from services.notify.address_guard import SPECIAL_NAMES
from services.notify.domain import CHAT_EVENTS, EVENT_NAMES, MAX_PATTERNS, Identifiers, Kind, Language
from services.notify.globs import PATTERN
from services.notify.shapes import shaped
from services.notify.target import MAX_URL

_LABEL: Final = "(?!..--)[A-Za-z0-9]([A-Za-z0-9-]{0,40}[A-Za-z0-9])?"
_NAME: Final = rf"({_LABEL}[.]){{1,4}}(?!({'|'.join(SPECIAL_NAMES)})([:/?#]|$))[A-Za-z]{{2,40}}"
_ESCAPE: Final = "%([2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|[89A-Fa-f][0-9A-Fa-f])"
_REST: Final = rf"([A-Za-z0-9#!$&'()*+,;=:@/?._~-]|{_ESCAPE})*"
# What is taken from everybody. International names and paths (of which more than one character is sent for each), IP
# addresses and networks that the operator has opened are taken too, but no pattern could tell which.
PLAIN_URL: Final = rf"^[Hh][Tt][Tt][Pp][Ss]://{_NAME}(:(443|8443))?([/?#]{_REST})?$"
MOST_IN_FLIGHT: Final = 64
MOST_PER_MINUTE: Final = 600_000
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

    model_config = ConfigDict(json_schema_extra=shaped)

    url: Annotated[
        Url,
        Field(
            description="Where to POST. https to a public address, port 443 or 8443, also with international names and "
            "paths. Plain http and private addresses only inside networks that the operator has named."
        ),
    ]
    event_types: Annotated[
        Annotated[list[Pattern], Field(min_length=1, max_length=MAX_PATTERNS)] | None,
        Field(
            description="Names of events; `*` stands for any run of characters, anywhere (`session-*`, `*-published`). "
            f"A chat that says nothing hears {', '.join(CHAT_EVENTS)}.",
        ),
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
    description: Annotated[str, Field(max_length=200, description="Shown to you, never sent.")] = ""
    ordered: Annotated[
        bool,
        Field(
            description="Deliveries about one subject come one after another, in the order of the bus; one that fails "
            "holds up its own subject only."
        ),
    ] = False
    in_flight: Annotated[
        int | None, Field(ge=1, le=MOST_IN_FLIGHT, description="Requests at a time; null leaves it to the operator.")
    ] = None
    per_minute: Annotated[
        int | None, Field(ge=1, le=MOST_PER_MINUTE, description="At most so many requests a minute; null: no limit.")
    ] = None
    expires_after_s: Annotated[
        dict[Pattern, Annotated[float, Field(gt=0, le=90 * 86400)]] | None,
        Field(
            max_length=MAX_PATTERNS,
            description="How many seconds after it was recorded an event is still worth sending, by pattern of its "
            "name; the shortest that fits counts. null: as long as attempts are made.",
        ),
    ] = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Registering":
        if self.kind == "webhook" and self.event_types is None:
            raise PydanticCustomError("missing", "event_types is missing: say which events a webhook is to hear")
        if self.kind != "webhook" and self.identifiers == "real":
            raise PydanticCustomError(
                "identifiers", "identifiers must be pairwise: a chat hears sentences, in which no id of a person stands"
            )
        return self


REGISTER: Final[dict[str, Any]] = {
    "url": "https://hooks.example.com/kairan",
    "event_types": ["member-joined", "session-*"],
    "identifiers": "pairwise",
}
