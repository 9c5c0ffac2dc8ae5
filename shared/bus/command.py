"""What a command is and what it may answer; the words that services and the group commit share."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.catalogue import EventData, EventType

State = dict[str, Any]
_COMMANDS = uuid.UUID("5a1e0a3e-52a5-5b0c-9e39-6b6169726e01")


class Refused(Exception):
    """A command that cannot be done; the caller hears it as a problem document.

    `status` is the HTTP status (404, 409, 410, 422), `slug` names the kind of problem, `detail` says what to do.
    """

    def __init__(self, status: int, slug: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail


class Overloaded(Exception):
    """The outbox is above its limit or the database does not answer: nothing was done, try again later."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's key: counts per token subject; `request_hash` tells the same request from another one."""

    subject: str
    key: str
    request_hash: str

    @property
    def command_id(self) -> uuid.UUID:
        return uuid.uuid5(_COMMANDS, f"{self.subject}\n{self.key}")

    @property
    def row_id(self) -> str:
        """The id of the kept answer; it holds neither the subject nor the key in clear."""
        return hashlib.blake2b(f"{self.subject}\n{self.key}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class When:
    """When a fact happened and when it was recorded (None: now, on the recorder's clock); aware, UTC."""

    occurred_at: datetime
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A fact that a decision states. `data` is None for a tombstone, whose `type` must then be given.

    `counted` events raise the aggregate's version by one; others (the profile record) carry the version they came with.
    `recorded_at` is now unless given.
    """

    data: EventData | None
    occurred_at: datetime
    subject: str
    type: EventType | None = None
    recorded_at: datetime | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state of the aggregate (without `_id` and `version`, which are set for it), and the facts.

    `claims` are names that nobody else may hold (a hashed e-mail; the command's `may_claim` must foresee them);
    `releases` gives some back. `also` are further new documents, by collection, stored in the same transaction.
    """

    state: State
    events: tuple[NewEvent, ...] = ()
    status: int = 200
    claims: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    also: tuple[tuple[str, State], ...] = ()


Decide = Callable[[State | None], Decision]


@dataclass(frozen=True, slots=True)
class Requirement:
    """Another document that must exist when the command is decided, and the refusal if it does not."""

    collection: str
    id: str
    refusal: Refused


@dataclass(frozen=True, slots=True)
class Command:
    """One intent on one aggregate. `decide` is pure: it gets the present state (None: none yet), may raise Refused.

    `creates` promises that `aggregate_id` is new, which saves a read. `may_claim` names the claims that a decision may
    make (they are read ahead); `claimed` is the refusal when one is taken. Its facts share `correlation_id`, the
    command's own id unless given.
    """

    collection: str
    aggregate_id: str
    decide: Decide
    key: IdempotencyKey | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    creates: bool = False
    requires: tuple[Requirement, ...] = ()
    may_claim: tuple[str, ...] = ()
    claimed: Refused | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the caller is told. `replayed`: the same key was answered before, nothing was done now."""

    status: int
    resource_id: str
    version: int
    replayed: bool = False


def of_row(key: IdempotencyKey, line: int) -> IdempotencyKey:
    """The key of one row of an import: the import's key and the row's line."""
    return IdempotencyKey(key.subject, f"{key.key}\n{line}", key.request_hash)


def event_id(command: uuid.UUID, n: int) -> str:
    """The id of a command's n-th event: the same command states the same facts."""
    return str(uuid.uuid5(command, str(n)))


Reads = Mapping[tuple[str, str], State]
