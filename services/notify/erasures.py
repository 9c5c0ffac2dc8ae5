"""Who was erased, and the redaction of what deliveries tell of them: noted with the event, done in bounded batches.

A member may have 100,000 deliveries waiting, which is more than a transaction takes. So the planner's transaction only
notes the erasure; whoever leads works it off. It stays open for a while after it was noted: what another replica was
planning at that moment is found too. The ids are kept for good, since history can be planned again (ADR 0016).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from services.notify.endpoint import Endpoint
from services.notify.pairwise import Pseudonyms
from services.notify.planning import Planned
from services.notify.redaction import redacted
from shared.store.mongo import Binary, Collection, Document, Session, Store, UpdateOne

ERASURES: Final = "erasures"
_BATCH: Final = 1_000
_OPEN: Final = {"open": True}
_NEEDED: Final = {"person": 1, "state": 1, "made": 1, "endpoint": 1, "body": 1}
_OPEN_FOR: Final = timedelta(seconds=30)

PseudonymsOf = Callable[[str], Pseudonyms | None]
"""The stand-ins of an endpoint by its id; None when it was deleted, and its key with it."""
_IdsOf = Callable[[str], frozenset[str] | None]


class Erasures:
    """Raises StoreError when the database is away; everything may be repeated."""

    def __init__(self, store: Store, deliveries: Collection) -> None:
        self._erasures = store.collection(ERASURES)
        self._deliveries = deliveries

    async def prepare(self) -> None:
        """Creates the indexes; safe to repeat."""
        await self._erasures.create_index("at", name="at")
        await self._erasures.create_index("open", name="open", partialFilterExpression=_OPEN)

    async def note(self, members: Sequence[str], session: Session) -> None:
        """These were erased; in the transaction that hears of it."""
        noted = {"$set": {"at": datetime.now(UTC), **_OPEN}}
        writes = [UpdateOne({"_id": one}, noted, upsert=True) for one in dict.fromkeys(members)]
        await self._erasures.bulk_write(writes, session=session)

    async def applied(self, planned: Sequence[Planned], session: Session) -> list[Planned]:
        """What is to be planned, without what it tells of members who were erased: a late fact, or history again."""
        people = {person for one in planned for person in one.people}
        if not people:
            return list(planned)
        found = await self._erasures.find({"_id": {"$in": sorted(people)}}, {"_id": 1}, session=session).to_list(None)
        return forgetting(planned, {document["_id"] for document in found})

    async def since(self, moment: datetime) -> list[tuple[str, datetime]]:
        """Who was erased from a moment on, and when."""
        found = await self._erasures.find({"at": {"$gte": moment}}).sort("at", 1).to_list(None)
        return [(document["_id"], document["at"]) for document in found]

    async def open(self) -> list[tuple[str, datetime]]:
        """The erasures that are not worked off, oldest first."""
        found = await self._erasures.find(_OPEN).sort("at", 1).limit(_BATCH).to_list(None)
        return [(document["_id"], document["at"]) for document in found]

    async def work_off(self, member: str, noted_at: datetime, pseudonyms_of: PseudonymsOf) -> int:
        """Redacts the deliveries that are there now, a batch at a time; answers how many. Closes an old erasure."""
        count = 0
        old = datetime.now(UTC) - noted_at > _OPEN_FOR
        while passed := await self._one_pass(member, pseudonyms_of):
            count += passed
        if old:
            await self._erasures.update_one({"_id": member, "at": noted_at}, {"$unset": {"open": ""}})
        return count

    async def _one_pass(self, member: str, pseudonyms_of: PseudonymsOf) -> int:
        """By one cursor: each new search would have to step over all that the last ones took out of the index."""
        count = 0
        about = {"person": {"$eq": member, "$exists": True}}
        cursor = self._deliveries.find(about, _NEEDED, batch_size=_BATCH)

        @cache
        def ids(endpoint_id: str) -> frozenset[str] | None:
            pseudonyms = pseudonyms_of(endpoint_id)
            return None if pseudonyms is None else ids_of([member], pseudonyms)

        while found := await cursor.to_list(_BATCH):
            await self._deliveries.bulk_write([_write(one, member, ids) for one in found], ordered=False)
            count += len(found)
        return count


def forgetting(planned: Sequence[Planned], gone: Set[str]) -> list[Planned]:
    """The same, without what it tells of these members."""
    return [_forgetting(one, gone) if not gone.isdisjoint(one.people) else one for one in planned]


def _forgetting(planned: Planned, gone: Iterable[str]) -> Planned:
    ids = ids_of(gone, planned.endpoint.pseudonyms)
    left = tuple(person for person in planned.people if person not in ids)
    return replace(planned, body=redacted(planned.body, ids), people=left)


def ids_of(members: Iterable[str], pseudonyms: Pseudonyms) -> frozenset[str]:
    """The members' ids, on the bus and at one endpoint."""
    known = list(members)
    return frozenset(known) | {pseudonyms.person(one) for one in known}


def _write(found: Mapping[str, Any], member: str, ids_at: _IdsOf) -> UpdateOne:
    """Ended: the payload goes, and what was answered. Waiting: the body is redacted.

    Only of somebody else in the same event another redaction could have come in between.
    """
    as_found = {"_id": found["_id"], "state": found["state"]}
    if len(found["person"]) > 1 and "body" in found:
        as_found["body"] = found["body"]
    unset: Document = {"attempts.$[].said": ""} if found["made"] else {}
    change: Document = {}
    if isinstance(found["person"], list):
        change["$pull"] = {"person": member}
    else:
        unset["person"] = ""
    ids = ids_at(found["endpoint"])
    if found["state"] != "waiting" or ids is None:
        unset["body"] = ""
    if found["state"] == "waiting" and ids is None:
        change["$set"] = {"state": "dropped", "done_at": datetime.now(UTC)}
    elif found["state"] == "waiting" and ids is not None:
        body = redacted(bytes(found["body"]), ids)
        change["$set"] = {"body": Binary(body)}
    return UpdateOne(as_found, change | ({"$unset": unset} if unset else {}))


def redaction_of(body: bytes, members: Iterable[str], endpoint: Endpoint) -> bytes:
    """A body that is about to be sent, without what it tells of these members."""
    return redacted(body, ids_of(members, endpoint.pseudonyms))
