"""What owners read of their deliveries, whoever asks for it: the API, the portal, the terminal."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from services.notify.desk import owner_of
from services.notify.disclosures import Disclosures
from services.notify.log_store import LogStore, Page, Scope
from services.notify.pairwise import Pseudonyms
from services.notify.question import Place, Question
from services.notify.store import PAYLOAD_KEPT
from services.notify.vault import Vault
from shared.bus.command import Refused
from shared.catalogue import CATALOGUE
from shared.store.mongo import Document
from shared.web.auth import Caller

NO_DELIVERY: Final = Refused(404, "no-such-delivery", "No such delivery", "There is no delivery with this id.")
PULLED_MOST_BYTES: Final = 8 * 1024 * 1024
_SOURCES: Final = tuple(sorted({f"/kairan/{entry.publisher}" for entry in CATALOGUE.types}))


@dataclass(frozen=True)
class Gap:
    """Numbers that no delivery has, both ends included."""

    first: int
    last: int


@dataclass(frozen=True)
class Pulled:
    """Deliveries in the order of their numbers, with bodies. All up to `up_to` was looked at; `last` is the highest."""

    found: list[Document]
    gaps: list[Gap]
    up_to: int
    last: int


class Log:
    """Each method raises Refused in words for the caller, StoreError when the database is away."""

    def __init__(self, store: LogStore, vault: Vault, disclosures: Disclosures) -> None:
        self._store = store
        self._disclosures = disclosures
        self._vault = vault

    async def search(self, question: Question, after: Place | None, limit: int, caller: Caller) -> Page:
        """A page of what the caller may see, newest first; another's endpoint has nothing."""
        scope = await self._scope(question.endpoint_id, caller)
        if scope is not None and not scope:
            return Page([], None, partial=False)
        found = self._by_ids if question.names_deliveries else self._store.page
        page = await found(question, scope, after, limit)
        return replace(page, found=[as_told(one, caller) for one in page.found])

    async def show(self, delivery_id: str, caller: Caller) -> Document:
        """A delivery with all that is kept of it; the body is the owner's alone."""
        found = await self._store.delivery(delivery_id)
        if found is None or owner_of(caller) not in (None, found.get("owner")):
            raise NO_DELIVERY
        seen = for_eyes(found, caller)
        endpoint = await self._store.endpoint(found["endpoint"])
        if endpoint is not None:
            await self._disclosures.note_read(endpoint, [seen])
        return seen

    async def last_number(self, endpoint_id: str) -> int:
        """The last sequence number that the endpoint's deliveries have."""
        return await self._store.last_number(endpoint_id)

    async def pull(self, endpoint: Document, after: int, limit: int, caller: Caller) -> Pulled:
        """What the caller's endpoint got or is to get, above a number: at most `limit`, and 8 MiB or one of them."""
        last = await self._store.last_number(endpoint["_id"])
        found: list[Document] = []
        size, cut = 0, False
        async for one in self._store.numbered(endpoint["_id"], after, last, limit):
            size += len(one.get("body", b""))
            if found and size > PULLED_MOST_BYTES:
                cut = True
                break
            found.append(for_eyes(one, caller))
        await self._disclosures.note_read(endpoint, found)
        up_to = int(found[-1]["sequence"]) if cut or len(found) == limit else max(last, after)
        return Pulled(found, gaps((int(one["sequence"]) for one in found), after, up_to), up_to, last)

    async def _scope(self, endpoint_id: str | None, caller: Caller) -> Scope:
        owner = owner_of(caller)
        if owner is None:
            return None if endpoint_id is None else [endpoint_id]
        mine = await self._store.endpoints_of(owner)
        return [one for one in mine if endpoint_id in (None, one)]

    async def _by_ids(self, question: Question, scope: Scope, after: Place | None, limit: int) -> Page:
        if question.delivery_id is not None:
            ids = [question.delivery_id]
        else:
            ids = await self._ids_of(question.event_id or "", scope)
        found = await self._store.among(ids, question, scope, after)
        more = len(found) > limit
        return Page(found[:limit], Place.of(found[limit - 1]) if more else None, partial=False)

    async def _ids_of(self, event_id: str, scope: Scope) -> list[str]:
        """The `webhook-id`s that an event has at the endpoints in sight: they follow from its id, without an index.

        A deleted endpoint has forgotten its key, and with it what it was sent.
        """
        keys = [Pseudonyms(self._vault.open(sealed)) for sealed in await self._store.sealed_keys(scope)]
        return [key.delivery(source, event_id) for key in keys for source in _SOURCES]


def as_told(found: Document, caller: Caller) -> Document:
    """With the event's id as the endpoint was told it: by the bus's, which admins see, owners could compare notes."""
    told = found.get("told_id")
    return found if told is None or owner_of(caller) is None else {**found, "event_id": told}


def for_eyes(delivery: Document, caller: Caller) -> Document:
    """The delivery as the caller may see it: `withheld` instead of a body that is somebody else's."""
    found = as_told(delivery, caller)
    mine, over = found.get("owner") == caller.subject, _too_old(found)
    if mine and not over:
        return found
    seen = {name: value for name, value in found.items() if name != "body"} | {"withheld": not mine and not over}
    if over:
        seen["attempts"] = [{**attempt, "said": ""} for attempt in found.get("attempts", ())]
    return seen


def gaps(numbers: Iterable[int], after: int, up_to: int) -> list[Gap]:
    """The runs of numbers above `after`, up to `up_to`, that are missing among rising numbers. Pure."""
    missing, expected = [], after + 1
    for number in numbers:
        if number > expected:
            missing.append(Gap(expected, number - 1))
        expected = number + 1
    if expected <= up_to:
        missing.append(Gap(expected, up_to))
    return missing


def _too_old(found: dict[str, Any]) -> bool:
    """Whether its time is over although nobody has cleaned up yet."""
    done_at = found.get("done_at")
    return done_at is not None and datetime.now(UTC) - done_at > PAYLOAD_KEPT
