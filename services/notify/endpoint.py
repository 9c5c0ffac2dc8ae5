"""An endpoint as the planner and the lanes use it: its document with the secrets opened, parsed once per change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.notify.domain import EndpointState, Identifiers
from services.notify.pairwise import Pseudonyms
from services.notify.signing import secret_key
from services.notify.vault import Vault
from shared.bus.outbox import shard_of


@dataclass(frozen=True)
class Endpoint:
    """`created_ms` is wall time in Unix milliseconds; `signing_keys` are the active secrets, newest first."""

    id: str
    url: str
    event_types: tuple[str, ...]
    identifiers: Identifiers
    state: EndpointState
    created_ms: int
    signing_keys: tuple[bytes, ...] = field(repr=False)
    pseudonyms: Pseudonyms = field(repr=False)

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
        endpoint = Endpoint(
            id=document["_id"],
            url=document["url"],
            event_types=tuple(document["event_types"]),
            identifiers=document["identifiers"],
            state=document["state"],
            created_ms=document["created_ms"],
            signing_keys=tuple(secret_key(self._vault.open(sealed).decode()) for sealed in document["secrets"]),
            pseudonyms=Pseudonyms(self._vault.open(document["pairwise_key"]) if document["pairwise_key"] else b""),
        )
        self._parsed[endpoint.id] = (document, endpoint)
        return endpoint
