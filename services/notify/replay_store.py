"""Replays in the database: what is to be sent again, how far each has come, and every step in one transaction.

A step moves the replay's place by compare-and-set in the same transaction that lets deliveries wait again, so neither a
crash nor a second leader can give out one delivery twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from services.notify.planning import Planned
from services.notify.selection import History, Selection, canonical, conditions, first_number, read
from services.notify.store import DELIVERIES, LANES, NotifyStore
from shared.bus.outbox import shard_of
from shared.store.mongo import Binary, Document, Session, Store, StoreTimeout

REPLAYS: Final = "replays"
KEPT: Final = timedelta(days=90)
EXAMPLES: Final = 5
RECEIVING: Final = ("active", "paused")
_LATEST: Final = 100
_RUNNING: Final = {"state": "running"}
_COUNT_MOST_MS: Final = 15_000
_ENDED: Final = {"$unset": ["done_at", "expires_ms", "behind"]}


class TooMuch(Exception):
    """Counting would take too long; a narrower selection does not."""


class MovedOn(Exception):
    """Somebody else has made this step, or the replay was stopped; nothing was written."""


@dataclass(frozen=True)
class Counted:
    """What a selection comes to: `gone` fit as well, but their payloads are no more."""

    count: int
    gone: int
    first: int | None
    last: int | None
    oldest: datetime | None
    newest: datetime | None
    examples: list[Document]


class ReplayStore:
    """Raises StoreError when the database is away."""

    def __init__(self, store: Store, notify: NotifyStore) -> None:
        self._store = store
        self._notify = notify
        self._replays = store.collection(REPLAYS)
        self._deliveries = store.collection(DELIVERIES)
        self._lanes = store.collection(LANES)

    async def prepare(self) -> None:
        """Creates the indexes; safe to repeat."""
        await self._replays.create_index("state", name="running", partialFilterExpression=_RUNNING)
        await self._replays.create_index([("endpoint", 1), ("created_at", -1)], name="latest")
        await self._store.ensure_expiry(REPLAYS, "created_at", int(KEPT.total_seconds()))

    async def count(self, endpoint_id: str, selection: Selection, up_to: int) -> Counted:
        """What fits now, up to a sequence number. Raises TooMuch."""
        assert not isinstance(selection, History)
        wanted = _wanted(endpoint_id, selection, first_number(selection) - 1, up_to)
        gone = {"$cond": [{"$gt": ["$body", None]}, 0, 1]}
        group = {
            "_id": None,
            "count": {"$sum": 1},
            "gone": {"$sum": gone},
            **{f"{name}_{each}": {f"${name}": f"${each}"} for name in ("min", "max") for each in _RANGED},
        }
        pipeline = [{"$match": wanted}, {"$group": group}]
        try:
            found = await self._deliveries.aggregate(pipeline, maxTimeMS=_COUNT_MOST_MS).to_list(None)
        except StoreTimeout as error:
            raise TooMuch from error
        if not found:
            return Counted(0, 0, None, None, None, None, [])
        (one,) = found
        examples = await self._deliveries.find(wanted, {"body": 0}).sort("sequence", 1).limit(EXAMPLES).to_list(None)
        return Counted(
            count=one["count"] - one["gone"],
            gone=one["gone"],
            first=one["min_sequence"],
            last=one["max_sequence"],
            oldest=one["min_planned_at"],
            newest=one["max_planned_at"],
            examples=examples,
        )

    async def with_payload(self, ids: Sequence[str], session: Session = None) -> dict[str, bool]:
        """Of these deliveries those that there are, and whether they have their payload (or still wait)."""
        found = self._deliveries.aggregate(
            [{"$match": {"_id": {"$in": list(ids)}}}, {"$project": {"has": {"$gt": ["$body", None]}}}], session=session
        )
        return {one["_id"]: bool(one["has"]) async for one in found}

    async def begin(self, replay_id: str, endpoint: Document, selection: Selection, total: int, up_to: int) -> Document:
        """A running replay, or the one that there is under this id."""
        document = {
            "endpoint": endpoint["_id"],
            "owner": endpoint.get("owner", ""),
            "shard": shard_of(endpoint["_id"]),
            "selection": canonical(selection),
            "total": total,
            "up_to": up_to,
            "place": 0 if isinstance(selection, History) else max(first_number(selection) - 1, 0),
            "replayed": 0,
            "passed_over": 0,
            "state": "running",
            "reason": None,
            "created_at": datetime.now(UTC),
            "ended_at": None,
        }
        found: Document = await self._replays.find_one_and_update(
            {"_id": replay_id}, {"$setOnInsert": document}, upsert=True, return_document=True
        )
        return found

    async def replay(self, replay_id: str) -> Document | None:
        found: Document | None = await self._replays.find_one({"_id": replay_id})
        return found

    async def running(self, endpoint_id: str | None = None) -> list[Document]:
        """The replays that have not ended, the oldest first; an endpoint's, or all."""
        wanted = _RUNNING if endpoint_id is None else {**_RUNNING, "endpoint": endpoint_id}
        found: list[Document] = await self._replays.find(wanted).sort([("created_at", 1), ("_id", 1)]).to_list(None)
        return found

    async def latest(self, endpoint_id: str) -> list[Document]:
        """The last 100 replays of an endpoint, the newest first."""
        found: list[Document] = await (
            self._replays.find({"endpoint": endpoint_id}).sort("created_at", -1).limit(_LATEST).to_list(None)
        )
        return found

    async def end(self, replay_id: str, state: str, reason: str | None = None) -> None:
        """Ends a running one, as done or stopped."""
        await self._replays.update_one(
            {"_id": replay_id, **_RUNNING}, {"$set": {"state": state, "reason": reason, "ended_at": datetime.now(UTC)}}
        )

    async def backlog(self, endpoint_id: str, now_ms: int, most: int) -> int:
        """How many deliveries of the endpoint are due, counted up to `most`."""
        due = {"endpoint": endpoint_id, "state": "waiting", "next_at_ms": {"$lte": now_ms}}
        return int(await self._deliveries.count_documents(due, limit=most))

    async def endpoint(self, endpoint_id: str) -> Document | None:
        return await self._notify.endpoint(endpoint_id)

    async def send_again(self, replay: Document, most: int, now_ms: int) -> int:
        """Lets the next deliveries of a replay wait for a fresh schedule; how many were looked at. Raises MovedOn."""
        selection = read(replay["selection"])
        assert not isinstance(selection, History)
        wanted = _wanted(replay["endpoint"], selection, replay["place"], replay["up_to"])
        found = await self._deliveries.find(wanted, {"sequence": 1}).sort("sequence", 1).limit(most).to_list(None)
        if not found:
            return 0
        ids = [one["_id"] for one in found]

        async def work(session: Session) -> None:
            again = await self._deliveries.update_many(
                {"_id": {"$in": ids}, "body": {"$exists": True}, "$or": [{"state": {"$ne": "waiting"}}, _TRIED]},
                _waiting_again(now_ms),
                session=session,
            )
            await self._move(replay, int(found[-1]["sequence"]), again.modified_count, len(ids), session)

        await self._store.transaction(work)
        await self.ring(replay["endpoint"])
        return len(ids)

    async def send_history(self, replay: Document, planned: Sequence[Planned], place: Document, now_ms: int) -> None:
        """Plans what the endpoint has no delivery of, and gives payloads back that were gone. Raises MovedOn."""

        async def work(session: Session) -> None:
            told = {one.id: one for one in await self._notify.erasures.applied(planned, session)}
            there = await self.with_payload(list(told), session)
            new = [one for one in told.values() if one.id not in there]
            bare = [told[identity] for identity, has in there.items() if not has]
            if new:
                await self._store.together(session, partial(self._notify.plan, new, now_ms))
            for one in bare:
                await self._deliveries.update_one(
                    {"_id": one.id, "state": {"$ne": "waiting"}, "body": {"$exists": False}},
                    _waiting_again(now_ms, one.body),
                    session=session,
                )
            await self._move(replay, place, len(new) + len(bare), len(planned), session)

        await self._store.transaction(work)
        if planned:
            await self.ring(replay["endpoint"])

    async def skip(self, delivery: Mapping[str, Any]) -> bool:
        """Gives up a delivery that waits, or that parks the key of its endpoint; False when it has ended."""
        parked = {"state": "exhausted", "holds": True}
        given_up = await self._deliveries.update_one(
            {"_id": delivery["_id"], "$or": [{"state": "waiting"}, parked]},
            {"$set": {"state": "dropped", "done_at": datetime.now(UTC)}, "$unset": {"holds": "", "behind": ""}},
        )
        if given_up.modified_count:
            await self.ring(delivery["endpoint"])
        return bool(given_up.modified_count)

    async def ring(self, endpoint_id: str) -> None:
        """Tells the endpoint's lane, wherever it is, that somebody else has changed its deliveries."""
        await self._lanes.update_one({"_id": endpoint_id}, {"$inc": {"rung": 1}})

    async def _move(self, replay: Document, place: Any, replayed: int, seen: int, session: Session) -> None:
        moved = await self._replays.update_one(
            {"_id": replay["_id"], "place": replay["place"], **_RUNNING},
            {"$set": {"place": place}, "$inc": {"replayed": replayed, "passed_over": seen - replayed}},
            session=session,
        )
        if not moved.matched_count:
            raise MovedOn(replay["_id"])


_RANGED: Final = ("sequence", "planned_at")
# One that was never tried comes by itself, in its turn.
_TRIED: Final = {"state": "waiting", "made": {"$gt": 0}, "behind": {"$exists": False}}


def _wanted(endpoint_id: str, selection: Selection, above: int, up_to: int) -> Document:
    assert not isinstance(selection, History)
    numbers = {"sequence": {"$gt": above, "$lte": up_to}}
    return {"endpoint": endpoint_id, **numbers, **conditions(selection)}


def _waiting_again(now_ms: int, body: bytes | None = None) -> list[Document]:
    """Due now, with a fresh schedule: the attempts that were made do not count for it, but stay in the log."""
    given = {} if body is None else {"body": Binary(body)}
    return [
        {"$set": {"state": "waiting", "next_at_ms": now_ms, "made_before": "$made", **given}},
        _ENDED,
    ]
