"""What owners do with their endpoints, whoever asks for it: the API and the portal."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.notify.address_guard import Guard
from services.notify.domain import CHAT_EVENTS, Kind, NewEndpoint, check_patterns, completed
from services.notify.filters import BadFilter, Condition, compiled
from services.notify.lookup import Lookup
from services.notify.masking import masked
from services.notify.pairwise import KEY_BYTES
from services.notify.registry import Registry
from services.notify.requests import Changing, Registering
from services.notify.signing import new_secret
from services.notify.store import NotifyStore
from services.notify.target import Forbidden
from services.notify.vault import Vault
from shared.bus.command import IdempotencyKey, Outcome, Refused
from shared.store.mongo import Document
from shared.web.auth import Caller
from shared.web.problems import Problem

ADMIN: Final = "endpoints:admin"
DELETED_SINCE: Final = Refused(
    409, "endpoint-deleted", "The endpoint was deleted", "It was made with this key and deleted since; use a new key."
)
NO_ENDPOINT: Final = Refused(404, "no-such-endpoint", "No such endpoint", "There is no endpoint with this id.")


def check_wishes(fields: Mapping[str, Any]) -> None:
    """Raises Problem or NotPossible (422) for event types, expiries or a filter that could never do anything."""
    check_patterns(fields.get("event_types") or ())
    check_patterns(tuple(fields.get("expires_after_s") or ()))
    if fields.get("filter") is not None:
        check_filter(fields["filter"])


def check_filter(said: Mapping[str, Any]) -> Condition:
    """The filter, ready to be asked. Raises Problem (422) naming the place where it is none."""
    try:
        return compiled(said)
    except BadFilter as wrong:
        raise Problem(422, "The filter is not valid", f"{wrong}.", "bad-filter", place=wrong.place) from None


def owner_of(caller: Caller) -> str | None:
    """Whose endpoints the caller may see and change: the own ones, or None for everybody's."""
    return None if caller.may(ADMIN) else caller.subject


@dataclass(frozen=True)
class Created:
    """`secret` in clear: to be shown this once. None for a chat, which cannot check a signature."""

    outcome: Outcome
    secret: str | None


class Desk:
    """Each method raises Refused or Problem in words for the caller, Overloaded when nothing was done.

    `changed` is called after each change.
    """

    def __init__(
        self,
        store: NotifyStore,
        registry: Registry,
        vault: Vault,
        guard: Guard,
        lookup: Lookup,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault
        self._guard = guard
        self._lookup = lookup
        self._changed = changed

    async def create(self, wanted: Registering, caller: Caller, key: IdempotencyKey | None) -> Created:
        """A new endpoint of the caller; a repeat shows the secret of the first time."""
        if wanted.identifiers == "real":
            caller.demand("endpoints:trusted")
        check_wishes(wanted.model_dump())
        wish = NewEndpoint(
            **self._kept(wanted.kind, await self._checked(wanted.url)),
            kind=wanted.kind,
            language=wanted.language,
            disclosure=wanted.disclosure.model_dump() if wanted.disclosure else None,
            event_types=tuple(dict.fromkeys(wanted.event_types or CHAT_EVENTS)),
            identifiers=wanted.identifiers,
            secret=self._vault.seal(new_secret().encode()) if wanted.kind == "webhook" else None,
            pairwise_key=self._vault.seal(secrets.token_bytes(KEY_BYTES)),
            created_ms=int(time.time() * 1000),
            owner=caller.subject,
            filter=wanted.filter,
            description=wanted.description,
            ordered=wanted.ordered,
            in_flight=wanted.in_flight,
            per_minute=wanted.per_minute,
            expires_after_s=wanted.expires_after_s,
        )
        outcome = await self._registry.create(wish, key)
        # Read back, because a repeat must show the secret of the first time.
        endpoint = await self._store.endpoint(outcome.resource_id)
        if endpoint is None or endpoint["state"] == "deleted":
            raise DELETED_SINCE
        self._changed()
        first = endpoint["secrets"][-1]["sealed"] if endpoint["secrets"] else None
        return Created(outcome, None if first is None else self._vault.open(first).decode())

    async def list(self, caller: Caller) -> list[Document]:
        return await self._store.endpoints(owner=owner_of(caller))

    async def show(self, endpoint_id: str, caller: Caller) -> Document:
        """An endpoint that the caller may see; somebody else's is not there (404)."""
        endpoint = await self._store.endpoint(endpoint_id)
        owner = owner_of(caller)
        if endpoint is None or endpoint["state"] == "deleted" or owner not in (None, endpoint.get("owner")):
            raise NO_ENDPOINT
        return endpoint

    async def delete(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        return await self._change(self._registry.delete, endpoint_id, caller, key)

    async def update(self, endpoint_id: str, wanted: Changing, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        """Only what was said is changed; the URL is judged anew."""
        fields = wanted.model_dump(exclude_unset=True)
        if "disclosure" in fields:
            caller.demand("endpoints:trusted")
            fields["disclosure"] = wanted.disclosure.model_dump() if wanted.disclosure else None
        check_wishes(fields)
        if "event_types" in fields:
            fields["event_types"] = list(dict.fromkeys(fields["event_types"]))
        if "url" in fields:
            kind = completed(await self.show(endpoint_id, caller))["kind"]
            fields |= self._kept(kind, await self._checked(fields["url"]))

        def update(identity: str, key: IdempotencyKey | None) -> Awaitable[Outcome]:
            return self._registry.update(identity, fields, key)

        return await self._change(update, endpoint_id, caller, key)

    async def pause(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        return await self._change(self._registry.pause, endpoint_id, caller, key)

    async def resume(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        return await self._change(self._registry.resume, endpoint_id, caller, key)

    async def _change(
        self,
        change: Callable[[str, IdempotencyKey | None], Awaitable[Outcome]],
        endpoint_id: str,
        caller: Caller,
        key: IdempotencyKey | None,
    ) -> Outcome:
        """A deleted one is left to the registry: a repeat of the deletion has its answer there."""
        endpoint = await self._store.endpoint(endpoint_id)
        owner = owner_of(caller)
        if endpoint is None or owner not in (None, endpoint.get("owner")):
            raise NO_ENDPOINT
        outcome = await change(endpoint_id, key)
        self._changed()
        return outcome

    def _kept(self, kind: Kind, url: str) -> dict[str, Any]:
        """What is stored of a checked URL; a chat's is a secret: masked to show, and sealed."""
        if kind == "webhook":
            return {"url": url, "sealed_url": None}
        return {"url": masked(url), "sealed_url": self._vault.seal(url.encode())}

    async def _checked(self, url: str) -> str:
        """The URL as it will be dialled; 422 when refused. A public name without an address may get one."""
        try:
            target = self._guard.target(url)
            try:
                await self._guard.addresses(target, self._lookup)
            except Forbidden:
                raise
            except OSError:
                private = self._guard.needs_private(target)
                if private is not None:
                    raise Forbidden("parse", private) from None
        except Forbidden as refusal:
            raise Problem(
                422,
                "The URL is not allowed",
                f"{refusal.reason[0].upper()}{refusal.reason[1:]}.",
                "forbidden-url",
                stage=refusal.stage,
                reason=refusal.reason,
            ) from None
        return target.url
