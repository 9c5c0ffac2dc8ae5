"""Notify's collections: endpoints (written by commands), lanes (numbers per endpoint), deliveries (queue and log).

`deliveries` is the queue while `state` is waiting and the log ever after: `body` vanishes 7 days after the end,
the rest 90 days after planning. Every write of a delivery names the state and attempt that it follows, so a sender that
lost its lease can repeat a request but never undo what another has written.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from services.notify.audit import AUDIT
from services.notify.audit import KEPT as AUDIT_KEPT
from services.notify.breaker import Health
from services.notify.delivery import (
    UNTRIED,
    LaneState,
    Settled,
    Waiting,
    delivered_at_once,
    delivered_write,
    lane_of,
    planned_document,
    settlement_write,
    waiting_of,
)
from services.notify.disclosures import Disclosures
from services.notify.erasures import ERASURES, Erasures
from services.notify.health import WELL, health_write
from services.notify.numbering import NUMBER, take_numbers
from services.notify.planning import Planned
from shared.store.mongo import (
    Direct,
    Document,
    Session,
    Store,
    StoreError,
    TryAgain,
    UpdateMany,
    UpdateOne,
    is_duplicate,
)

ENDPOINTS: Final = "endpoints"
STAMP: Final = "stamp"
"""Of an endpoint: a random number, another one after every change."""
LANES: Final = "lanes"
DELIVERIES: Final = "deliveries"
GIVEN_UP: Final = ("exhausted", "dropped", "expired")
_TOGETHER: Final = 200  # each finds its own among them one by one
LOG_KEPT: Final = timedelta(days=90)
PAYLOAD_KEPT: Final = timedelta(days=7)

_MARK: Final = {"_id": None, "count": {"$sum": 1}, "stamps": {"$sum": f"${STAMP}"}}
_WAITING: Final = {"state": "waiting"}
_ABOUT_A_PERSON: Final = {"person": {"$exists": True}}
_WITH_PAYLOAD: Final = {"done_at": {"$exists": True}, "body": {"$exists": True}}
_WITHOUT_PAYLOAD: Final = {"$unset": {"body": "", "attempts.$[].said": ""}}


class Seen(NamedTuple):
    """`mark`: how many endpoints there are and the sum of their stamps, another one whenever one of them was changed.

    `erased`: those of the people asked for who were erased, where there are endpoints.
    """

    mark: tuple[int, int]
    erased: frozenset[str]


class NotifyStore:
    """All reads and writes of this service but its commands. Raises StoreError when the database is away."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._endpoints = store.collection(ENDPOINTS)
        self._lanes = store.collection(LANES)
        self._deliveries = store.collection(DELIVERIES)
        self._disclosures = Disclosures(store)
        self.erasures = Erasures(store, self._deliveries)
        self._careful = False
        self._prepared = False

    async def prepare(self) -> None:
        """Creates the indexes, once in this process; safe to repeat."""
        if self._prepared:
            return
        await self._deliveries.create_index(
            [("endpoint", 1), ("next_at_ms", 1), ("sequence", 1)], name="due", partialFilterExpression=_WAITING
        )
        await self._endpoints.create_index(STAMP, name="mark")
        await self._deliveries.create_index([("endpoint", 1), ("planned_at", -1)], name="log")
        await self._deliveries.create_index([("endpoint", 1), ("sequence", 1)], name="numbers")
        await self._deliveries.create_index(
            [("endpoint", 1), ("marks", 1), ("planned_at", -1)],
            name="failed",
            partialFilterExpression={"marks": {"$exists": True}},
        )
        await self._deliveries.create_index(
            [("endpoint", 1), ("state", 1), ("planned_at", -1)],
            name="given_up",
            partialFilterExpression={"state": {"$in": list(GIVEN_UP)}},
        )
        await self._deliveries.create_index("done_at", name="payloads", partialFilterExpression=_WITH_PAYLOAD)
        await self._deliveries.create_index("person", name="person", partialFilterExpression=_ABOUT_A_PERSON)
        await self._store.ensure_expiry(DELIVERIES, "planned_at", int(LOG_KEPT.total_seconds()))
        await self._disclosures.prepare()
        await self.erasures.prepare()
        await self._endpoints.create_index("owner", name="owner")
        await self._store.collection(AUDIT).create_index([("endpoint", 1), ("at", -1)], name="endpoint")
        await self._store.ensure_expiry(AUDIT, "at", int(AUDIT_KEPT.total_seconds()))
        self._prepared = True

    async def endpoints(self, session: Session = None, owner: str | None = None) -> list[Document]:
        """Every endpoint that is not deleted, or an owner's; inside a transaction as of its snapshot."""
        wanted = {"state": {"$ne": "deleted"}} | ({} if owner is None else {"owner": owner})
        found: list[Document] = await self._endpoints.find(wanted, session=session).to_list(None)
        return found

    async def mark(self) -> tuple[int, int]:
        """That of `seen`, as of now."""
        return (await self._store.together(None, partial(self.seen, ()))).mark

    def seen(self, people: Iterable[str], direct: Direct) -> Seen:
        """Everything that planning has to look at, in one call; `people` are those of whom events tell."""
        stages: list[Document] = [{"$sort": {STAMP: 1}}, {"$group": _MARK}]
        if asked := sorted(people):
            erased: list[Document] = [{"$match": {"_id": {"$in": asked}}}, {"$project": {"_id": 1}}]
            stages.append({"$lookup": {"from": ERASURES, "pipeline": erased, "as": "erased"}})
        seen = next(direct.collection(ENDPOINTS).aggregate(stages, session=direct.session), None)
        if seen is None:
            return Seen((0, 0), frozenset())
        return Seen((int(seen["count"]), int(seen["stamps"])), frozenset(one["_id"] for one in seen.get("erased", ())))

    async def endpoint(self, endpoint_id: str) -> Document | None:
        found: Document | None = await self._endpoints.find_one({"_id": endpoint_id})
        return found

    async def places(self, owner: str) -> list[str]:
        """The place of each endpoint that the owner has; empty for one from before there were places."""
        found = await self._endpoints.find({"owner": owner, "state": {"$ne": "deleted"}}, {"place": 1}).to_list(None)
        return [document.get("place") or "" for document in found]

    async def forget_secrets(self, now_ms: int) -> None:
        """Removes the secrets that have expired."""
        over = {"expires_ms": {"$ne": None, "$lte": now_ms}}
        await self._endpoints.update_many({"secrets": {"$elemMatch": over}}, {"$pull": {"secrets": over}})

    async def audited(self, endpoint_id: str, limit: int) -> list[Document]:
        """The newest lines of an endpoint's audit first."""
        found: list[Document] = await (
            self._store.collection(AUDIT)
            .find({"endpoint": endpoint_id})
            .sort([("at", -1), ("_id", -1)])
            .limit(limit)
            .to_list(None)
        )
        return found

    def plan(self, planned: Sequence[Planned], now_ms: int, direct: Direct) -> list[Waiting]:
        """Writes deliveries, numbered densely per endpoint, in the batch's transaction; nobody erased is in them.

        One that is there already stays as it is. Only a repeat that the inbox has forgotten (30 days) can be, so its
        number is not looked for first: it becomes a gap. Raises TryAgain when there is one. Answers what was written.
        """
        counts = Counter(one.endpoint.id for one in planned)
        ordered = {one.endpoint.id for one in planned if one.key is not None}
        last = take_numbers(direct.collection(LANES), counts, ordered, direct.session)
        following = {endpoint: last[endpoint] - count for endpoint, count in counts.items()}
        documents = []
        for one in planned:
            following[one.endpoint.id] += 1
            documents.append(planned_document(one, following[one.endpoint.id], now_ms))
        return [waiting_of(document) for document in self._insert(documents, direct)]

    async def plan_one(self, planned: Planned, now_ms: int) -> int:
        """Writes one delivery outside of any batch, unless it is there; answers its number."""

        async def work(session: Session) -> int:
            found = await self._deliveries.find_one({"_id": planned.id}, NUMBER, session=session)
            if found is not None:
                return int(found["sequence"])
            kept = await self.erasures.applied([planned], session)
            (written,) = await self._store.together(session, partial(self.plan, kept, now_ms))
            return written.sequence

        return await self._store.transaction(work)

    def _insert(self, documents: Sequence[Document], direct: Direct) -> Sequence[Document]:
        """Answers what was not there. A plain insert, at half the price; one that is refused ends the transaction, and
        the next try takes care.
        """
        if self._careful:
            self._careful = False
            writes = [UpdateOne({"_id": one["_id"]}, {"$setOnInsert": one}, upsert=True) for one in documents]
            done = direct.collection(DELIVERIES).bulk_write(writes, ordered=False, session=direct.session)
            return [documents[n] for n in sorted(done.upserted_ids)]
        try:
            direct.collection(DELIVERIES).insert_many(documents, ordered=False, session=direct.session)
        except StoreError as error:
            if not is_duplicate(error):
                raise
            self._careful = True
            raise TryAgain("a delivery is there already") from error
        return documents

    async def lanes(self, shards: Iterable[int]) -> list[LaneState]:
        """The lanes of these shards that have had a delivery."""
        found = await self._lanes.find({"shard": {"$in": list(shards)}}).to_list(None)
        return [lane_of(each) for each in found]

    async def broken(self, endpoints: Iterable[str]) -> set[str]:
        """Those of these endpoints whose breaker is not closed."""
        found = self._lanes.find({"_id": {"$in": list(endpoints)}, "breaker": {"$exists": True}}, {"_id": 1})
        return {each["_id"] for each in await found.to_list(None)}

    async def due(self, endpoint_id: str, now_ms: int, limit: int) -> list[Waiting]:
        """What may be sent now, in the order in which it became due; not what waits for its first turn in order."""
        time_came = {"$gt": UNTRIED, "$lte": now_ms}
        found = await (
            self._deliveries.find({"endpoint": endpoint_id, "state": "waiting", "next_at_ms": time_came})
            .sort([("next_at_ms", 1), ("sequence", 1)])
            .limit(limit)
            .to_list(None)
        )
        return [waiting_of(document) for document in found]

    async def next_due_ms(self, endpoint_id: str, after_ms: int) -> int | None:
        """When the endpoint's first attempt after a moment is due; None when nothing waits that long."""
        found = await self._deliveries.find_one(
            {"endpoint": endpoint_id, "state": "waiting", "next_at_ms": {"$gt": after_ms}},
            {"next_at_ms": 1},
            sort=[("next_at_ms", 1)],
        )
        return int(found["next_at_ms"]) if found else None

    async def settle(self, settled: Sequence[Settled], healths: Mapping[str, Health]) -> None:
        """Writes attempts and what became of their deliveries, and the health of the endpoints where it changed.

        Whose real ids were given away is recorded first: nothing counts as delivered before that is durable.
        """
        await self._disclosures.note(settled)
        at_once = [one for one in settled if delivered_at_once(one)]
        writes: list[UpdateMany | UpdateOne] = [settlement_write(one) for one in settled if not delivered_at_once(one)]
        writes += [delivered_write(at_once[n : n + _TOGETHER]) for n in range(0, len(at_once), _TOGETHER)]
        await self._deliveries.bulk_write(writes, ordered=False)
        if healths:
            await self._lanes.bulk_write([health_write(endpoint, health) for endpoint, health in healths.items()])

    async def drop(self, endpoint_id: str) -> int:
        """Gives up all that waits for an endpoint which receives nothing more; resumed, it begins without a past."""
        dropped = await self._deliveries.update_many(
            {"endpoint": endpoint_id, "state": "waiting"},
            {"$set": {"state": "dropped", "done_at": datetime.now(UTC)}, "$unset": {"behind": ""}},
        )
        await self._deliveries.update_many({"endpoint": endpoint_id, "holds": True}, {"$unset": {"holds": ""}})
        await self.forget_failures(endpoint_id)
        return int(dropped.modified_count)

    async def forget_failures(self, endpoint_id: str) -> None:
        """While it is paused nobody fails: resumed, it is not given up for what was before."""
        await self._lanes.update_one({"_id": endpoint_id}, WELL)

    async def forget_payloads(self, before: datetime) -> int:
        """Removes the bodies of deliveries that ended before this moment, and what was answered to them."""
        done = await self._deliveries.update_many(
            {"done_at": {"$exists": True, "$lt": before}, "body": {"$exists": True}}, _WITHOUT_PAYLOAD
        )
        return int(done.modified_count)

    async def count_waiting(self) -> int:
        return int(await self._deliveries.count_documents({"endpoint": {"$gt": ""}, "state": "waiting"}))
