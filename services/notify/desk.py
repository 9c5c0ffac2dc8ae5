"""What owners do with their endpoints, whoever asks for it: the API and the portal."""

import builtins
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from services.notify.accepting import accepted_url
from services.notify.address_guard import Guard
from services.notify.challenge import Unanswered
from services.notify.challenger import Challenger
from services.notify.domain import CHAT_EVENTS, Kind, NewEndpoint, check_patterns, completed
from services.notify.filters import BadFilter, Condition, compiled
from services.notify.issued import Issued, chosen_secret
from services.notify.lookup import Lookup
from services.notify.masking import masked
from services.notify.pairwise import KEY_BYTES
from services.notify.quota import Quota
from services.notify.registry import PLACE_TAKEN, Asked, Registry
from services.notify.requests import Changing, Registering, Rotating
from services.notify.rotation import NewSecret
from services.notify.signing import kind_of, public_key
from services.notify.store import NotifyStore
from services.notify.vault import Vault
from shared.bus.command import IdempotencyKey, Outcome, Refused
from shared.clock import wall_ms
from shared.store.mongo import Document
from shared.web.auth import Caller
from shared.web.problems import Problem

DEGRADED: Final = "degraded"
"""Set in an endpoint's document that is handed out, when its lane has an open breaker."""
ADMIN: Final = "endpoints:admin"
DELETED_SINCE: Final = Refused(
    409, "endpoint-deleted", "The endpoint was deleted", "It was made with this key and deleted since; use a new key."
)
SECRET_GONE: Final = Refused(
    409, "secret-gone", "The secret is gone", "It was made with this key and has expired since; use a new key."
)
_TRIES: Final = 5
NOT_SIGNED: Final = Refused(
    409, "not-signed", "A chat has no secret", "Its deliveries are not signed, as the service could not check it."
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
        quota: Quota,
        challenger: Challenger,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault
        self._guard = guard
        self._lookup = lookup
        self._quota = quota
        self._challenger = challenger
        self._changed = changed

    async def create(self, wanted: Registering, caller: Caller, key: IdempotencyKey | None) -> Issued:
        """A new endpoint of the caller; a repeat shows the secret of the first time."""
        if wanted.identifiers == "real":
            caller.demand("endpoints:trusted")
        check_wishes(wanted.model_dump())
        secret = chosen_secret(wanted.secret, wanted.signature) if wanted.kind == "webhook" else None
        wish = NewEndpoint(
            **self._kept(wanted.kind, await accepted_url(wanted.url, self._guard, self._lookup)),
            kind=wanted.kind,
            language=wanted.language,
            disclosure=wanted.disclosure.model_dump() if wanted.disclosure else None,
            event_types=tuple(dict.fromkeys(wanted.event_types or CHAT_EVENTS)),
            identifiers=wanted.identifiers,
            secret=None if secret is None else self._sealed(secret, key),
            pairwise_key=self._vault.seal(secrets.token_bytes(KEY_BYTES)),
            created_ms=wall_ms(),
            owner=caller.subject,
            place=None,
            state="unverified" if self._challenger.required and wanted.kind == "webhook" else "active",
            filter=wanted.filter,
            description=wanted.description,
            ordered=wanted.ordered,
            in_flight=wanted.in_flight,
            per_minute=wanted.per_minute,
            expires_after_s=wanted.expires_after_s,
        )
        outcome = await self._placed(wish, Asked(caller.subject, key))
        self._changed()
        self._challenger.soon(outcome.resource_id, caller.subject)
        return await self._issued(outcome, secret, key)

    async def rotate(self, endpoint_id: str, wanted: Rotating, caller: Caller, key: IdempotencyKey | None) -> Issued:
        """Another secret, while those before it sign on for `overlap_s` at most; a repeat shows the same one."""
        found = completed(await self._own(endpoint_id, caller))
        if found["kind"] != "webhook":
            raise NOT_SIGNED
        secret = chosen_secret(wanted.secret, wanted.signature or found["signature"])
        asked = Asked(caller.subject, key)
        outcome = await self._registry.rotate(endpoint_id, self._sealed(secret, key), wanted.overlap_s, asked)
        self._changed()
        return await self._issued(outcome, secret, key)

    async def list(self, caller: Caller) -> list[Document]:
        endpoints = await self._store.endpoints(owner=owner_of(caller))
        broken = await self._store.broken(one["_id"] for one in endpoints)
        return [{**one, DEGRADED: one["_id"] in broken} for one in endpoints]

    async def show(self, endpoint_id: str, caller: Caller) -> Document:
        """An endpoint that the caller may see; somebody else's is not there (404)."""
        endpoint = await self._store.endpoint(endpoint_id)
        owner = owner_of(caller)
        if endpoint is None or endpoint["state"] == "deleted" or owner not in (None, endpoint.get("owner")):
            raise NO_ENDPOINT
        return {**endpoint, DEGRADED: bool(await self._store.broken([endpoint_id]))}

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
            fields |= self._kept(kind, await accepted_url(fields["url"], self._guard, self._lookup))
        await self._own(endpoint_id, caller)
        asked = Asked(caller.subject, key)
        outcome = await self._registry.update(endpoint_id, fields, self._challenger.required, asked)
        if "url" in fields:
            self._challenger.soon(endpoint_id, caller.subject)
        return self._after(outcome)

    async def verify(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        """Asks the receiver a challenge. Raises Problem (409) with the reason where it did not answer as it must."""
        document = await self.show(endpoint_id, caller)
        if completed(document)["kind"] != "webhook":
            raise NOT_SIGNED
        found = await self._challenger.check(document, Asked(caller.subject, key))
        if isinstance(found, Unanswered):
            raise Problem(
                409,
                "The receiver is not verified",
                f"{found.reason}.".capitalize(),
                "unverified",
                status_of_receiver=found.status,
            )
        return self._after(found)

    async def delete(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        await self._own(endpoint_id, caller)
        return self._after(await self._registry.delete(endpoint_id, Asked(caller.subject, key)))

    async def pause(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        await self._own(endpoint_id, caller)
        return self._after(await self._registry.pause(endpoint_id, Asked(caller.subject, key)))

    async def resume(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Outcome:
        await self._own(endpoint_id, caller)
        return self._after(await self._registry.resume(endpoint_id, Asked(caller.subject, key)))

    async def audit(self, endpoint_id: str, limit: int, caller: Caller) -> builtins.list[Document]:
        """Who changed what, newest first; also of an endpoint that was deleted."""
        await self._own(endpoint_id, caller)
        return await self._store.audited(endpoint_id, limit)

    async def _own(self, endpoint_id: str, caller: Caller) -> Document:
        """A deleted one is left to the registry: a repeat of the deletion has its answer there."""
        endpoint = await self._store.endpoint(endpoint_id)
        if endpoint is None or owner_of(caller) not in (None, endpoint.get("owner")):
            raise NO_ENDPOINT
        return endpoint

    def _after(self, outcome: Outcome) -> Outcome:
        self._changed()
        return outcome

    def _kept(self, kind: Kind, url: str) -> dict[str, Any]:
        """What is stored of a checked URL; a chat's is a secret: masked to show, and sealed."""
        if kind == "webhook":
            return {"url": url, "sealed_url": None}
        return {"url": masked(url), "sealed_url": self._vault.seal(url.encode())}

    async def _placed(self, wish: NewEndpoint, asked: Asked) -> Outcome:
        """Created in a place of its owner's; another one where a replica was faster."""
        for _ in range(_TRIES):
            async with self._quota.place(wish.owner) as place:
                try:
                    return await self._registry.create(replace(wish, place=place), asked)
                except Refused as refusal:
                    if refusal.slug != PLACE_TAKEN.slug:
                        raise
        raise PLACE_TAKEN

    def _sealed(self, secret: str, key: IdempotencyKey | None) -> NewSecret:
        sealed = self._vault.seal(secret.encode())
        made_by = key.row_id if key else None
        return NewSecret(sealed, wall_ms(), kind_of(secret), public_key(secret), made_by)

    async def _issued(self, outcome: Outcome, secret: str | None, key: IdempotencyKey | None) -> Issued:
        """With the secret of the first time, if this is a repeat."""
        if not outcome.replayed or key is None:
            return Issued.of(outcome, secret)
        endpoint = await self._store.endpoint(outcome.resource_id)
        if endpoint is None or endpoint["state"] == "deleted":
            raise DELETED_SINCE
        if secret is None:
            return Issued.of(outcome, None)
        for stored in completed(endpoint)["secrets"]:
            if stored.get("made_by") == key.row_id:
                return Issued.of(outcome, self._vault.open(stored["sealed"]).decode())
        raise SECRET_GONE
