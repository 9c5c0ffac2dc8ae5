"""An endpoint as the planner and the lanes use it: its document with the secrets opened, parsed once per change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.notify.domain import EndpointState, Identifiers, Kind, Language, completed
from services.notify.filters import Condition, compiled
from services.notify.pairwise import Pseudonyms
from services.notify.signing import Key, signing_key
from services.notify.vault import Vault
from shared.bus.outbox import shard_of

_AS_STORED: Final = (
    *("identifiers", "state", "created_ms", "kind", "language"),
    *("owner", "filter", "disclosure", "ordered", "in_flight", "per_minute"),
)


@dataclass(frozen=True)
class Secret:
    """One key that signs, until `expires_ms` (wall clock, Unix milliseconds) if it was replaced."""

    key: Key = field(repr=False)
    expires_ms: int | None


@dataclass(frozen=True)
class Endpoint:
    """`created_ms` is wall time in Unix milliseconds; `in_flight` None leaves it to the service's setting.

    `url` is the true one also of a chat, whose owner is shown a masked one.
    `expires_after_s` says for patterns of event names how old such an event may be when it is sent.
    """

    id: str
    url: str = field(repr=False)
    event_types: tuple[str, ...]
    identifiers: Identifiers
    state: EndpointState
    created_ms: int
    kind: Kind
    language: Language
    owner: str
    filter: Mapping[str, Any] | None
    disclosure: Mapping[str, Any] | None
    ordered: bool
    in_flight: int | None
    per_minute: int | None
    expires_after_s: Mapping[str, float]
    secrets: tuple[Secret, ...] = field(repr=False)
    pseudonyms: Pseudonyms = field(repr=False)
    condition: Condition | None = field(default=None, repr=False)
    """The filter, ready to be asked."""

    def signing_keys(self, now_ms: int) -> tuple[Key, ...]:
        """The secrets that sign at this moment, newest first."""
        return tuple(one.key for one in self.secrets if one.expires_ms is None or now_ms < one.expires_ms)

    @property
    def disclosed(self) -> Mapping[str, Any] | None:
        """What stands in the record of a delivery that gives people's real ids away; None where it does not."""
        return (self.disclosure or {}) if self.identifiers == "real" else None

    @property
    def is_chat(self) -> bool:
        """It hears sentences for people instead of events."""
        return self.kind != "webhook"

    @property
    def shard(self) -> int:
        return shard_of(self.id)


class Endpoints:
    """Turns endpoint documents into Endpoints and remembers the result until the document changes."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._parsed: dict[str, tuple[Mapping[str, Any], Endpoint]] = {}

    def of(self, documents: Iterable[Mapping[str, Any]]) -> list[Endpoint]:
        return [self._of(document) for document in documents]

    def _of(self, document: Mapping[str, Any]) -> Endpoint:
        known = self._parsed.get(document["_id"])
        if known is not None and known[0] == document:
            return known[1]
        endpoint = self._parse(completed(document))
        self._parsed[endpoint.id] = (document, endpoint)
        return endpoint

    def _parse(self, full: Mapping[str, Any]) -> Endpoint:
        return Endpoint(
            id=full["_id"],
            url=self._vault.open(full["sealed_url"]).decode() if full["sealed_url"] else full["url"],
            **{name: full[name] for name in _AS_STORED},
            event_types=tuple(full["event_types"]),
            expires_after_s=full["expires_after_s"] or {},
            secrets=tuple(self._secret(one) for one in full["secrets"]),
            pseudonyms=Pseudonyms(self._vault.open(full["pairwise_key"]) if full["pairwise_key"] else b""),
            condition=None if full["filter"] is None else compiled(full["filter"]),
        )

    def _secret(self, stored: Mapping[str, Any]) -> Secret:
        return Secret(signing_key(self._vault.open(stored["sealed"]).decode()), stored["expires_ms"])
