"""How the log is read: a page of deliveries, newest first, in a bounded look whatever is asked for.

Three indexes are in the order of a page (by endpoint, by endpoint and mark of a failed attempt, by endpoint and end),
and the one by which old deliveries vanish, by time alone. What no index knows is looked for among the next `SCAN`
deliveries of the one that fits best; a page that ended there says so, and where to go on.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.notify.question import Place, Question
from services.notify.store import DELIVERIES, ENDPOINTS, GIVEN_UP, LANES, NotifyStore
from shared.store.mongo import Document, Store

SCAN: Final = 5_000
_MERGED_MOST: Final = 150  # the database merges at most 200 ranges of an index in their order
_BY_TIME: Final = "planned_at_expiry"
_LISTED: Final = {"body": 0, "attempts.said": 0}


Scope = Sequence[str] | None
"""The endpoints whose deliveries may be seen; None: all."""


@dataclass(frozen=True)
class Page:
    """Deliveries, newest first. `following` is where the next page begins; `partial`: more may fit than were found."""

    found: list[Document]
    following: Place | None
    partial: bool


@dataclass(frozen=True)
class _Path:
    """An index, by name, what it finds, and what is left to be looked at in each delivery."""

    index: str
    base: Mapping[str, Any]
    rest: Mapping[str, Any]


class LogStore:
    """Raises StoreError when the database is away. The indexes are made before the first page is read."""

    def __init__(self, store: Store, notify: NotifyStore, scan: int = SCAN) -> None:
        self._notify = notify
        self._deliveries = store.collection(DELIVERIES)
        self._endpoints = store.collection(ENDPOINTS)
        self._lanes = store.collection(LANES)
        self._scan = scan

    async def endpoints_of(self, owner: str) -> list[str]:
        """All endpoints that the owner ever made."""
        found: list[str] = await self._endpoints.distinct("_id", {"owner": owner})
        return found

    async def endpoint(self, endpoint_id: str) -> Document | None:
        return await self._notify.endpoint(endpoint_id)

    async def sealed_keys(self, scope: Scope) -> list[str]:
        """The keys of the endpoints, unless they were deleted, by which their `webhook-id`s are made."""
        wanted: Document = {"pairwise_key": {"$gt": ""}}
        if scope is not None:
            wanted["_id"] = {"$in": list(scope)}
        found = await self._endpoints.find(wanted, {"pairwise_key": 1}).to_list(None)
        return [one["pairwise_key"] for one in found]

    async def delivery(self, delivery_id: str) -> Document | None:
        """One delivery whole, with body and answers."""
        found: Document | None = await self._deliveries.find_one({"_id": delivery_id})
        return found

    async def among(self, ids: Sequence[str], question: Question, scope: Scope, after: Place | None) -> list[Document]:
        """Of these deliveries those that fit, newest first, after a place."""
        wanted = {**question.conditions(), "planned_at": question.times()}
        if scope is not None:
            wanted["endpoint"] = {"$in": list(scope)}
        rows = await self._deliveries.find({**wanted, "_id": {"$in": list(ids)}}, _LISTED).to_list(None)
        found = _newest_first(rows)
        return found if after is None else [one for one in found if _key(one) < (after.planned_at, after.id)]

    async def page(self, question: Question, scope: Scope, after: Place | None, limit: int) -> Page:
        """At most `limit` deliveries that fit, after a place."""
        await self._notify.prepare()
        path = _path(question, scope)
        want = limit + 1  # one more says that there is a next page
        found = await self._at(path, after, want) if after else []
        floor = None
        if len(found) < want:
            times = {**question.times()}
            if after is not None:
                times["$lt"] = min(times["$lt"], after.planned_at)
            floor = await self._floor(path, times) if path.rest else None
            if floor is not None:
                times = {**times, "$gt": floor}
            found += await self._within(path, times, want - len(found))
        if len(found) > limit:
            return Page(found[:limit], Place.of(found[limit - 1]), partial=False)
        return Page(found, Place.before(floor) if floor else None, partial=floor is not None)

    async def _floor(self, path: _Path, times: Mapping[str, Any]) -> datetime | None:
        """The moment below which a bounded look does not look; None when it sees all there is. Read from the index."""
        rows = await (
            self._deliveries.find({**path.base, "planned_at": times}, {"_id": 0, "planned_at": 1})
            .sort("planned_at", -1)
            .skip(self._scan)
            .limit(1)
            .hint(path.index)
            .to_list(None)
        )
        return rows[0]["planned_at"] if rows else None

    async def _within(self, path: _Path, times: Mapping[str, Any], want: int) -> list[Document]:
        rows = await self._find(path, {"planned_at": times}, [("planned_at", -1)], want)
        if len(rows) < want:
            return _newest_first(rows)
        # The index knows no order within a moment, and the last one may have been cut anywhere.
        last = rows[-1]["planned_at"]
        whole = _newest_first([one for one in rows if one["planned_at"] > last])
        return whole + await self._at(path, Place.before(last), want - len(whole))

    async def _at(self, path: _Path, place: Place, want: int) -> list[Document]:
        """What was planned at the very moment of a place, after it."""
        there = {"planned_at": place.planned_at, "_id": {"$lt": place.id}}
        return await self._find(path, there, [("_id", -1)], want)

    async def _find(self, path: _Path, where: Document, order: list[tuple[str, int]], want: int) -> list[Document]:
        wanted = {**path.base, **path.rest, **where}
        found: list[Document] = (
            await self._deliveries.find(wanted, _LISTED).sort(order).limit(want).hint(path.index).to_list(None)
        )
        return found

    async def last_number(self, endpoint_id: str) -> int:
        """The last sequence number that the endpoint's deliveries have; all up to it are written."""
        found = await self._lanes.find_one({"_id": endpoint_id}, {"sequence": 1})
        return int(found.get("sequence", 0)) if found else 0

    async def numbered(self, endpoint_id: str, after: int, last: int, limit: int) -> AsyncIterator[Document]:
        """The endpoint's deliveries with numbers above `after` up to `last`, in their order, with bodies."""
        await self._notify.prepare()
        wanted = {"endpoint": endpoint_id, "sequence": {"$gt": after, "$lte": last}}
        async for one in (
            self._deliveries.find(wanted, {"attempts": 0}).sort("sequence", 1).limit(limit).hint("numbers")
        ):
            yield one


def _path(question: Question, scope: Scope) -> _Path:
    rest = question.conditions()
    if scope is None:
        return _Path(_BY_TIME, {}, rest)
    base = {"endpoint": {"$in": list(scope)}}
    if len(scope) > _MERGED_MOST:
        return _Path(_BY_TIME, {}, {**rest, **base})
    if question.state in GIVEN_UP:
        return _Path("given_up", {**base, "state": rest.pop("state")}, rest)
    if question.mark is not None:
        return _Path("failed", {**base, "marks": question.mark}, _beyond_mark(question, rest))
    return _Path("log", base, rest)


def _beyond_mark(question: Question, rest: Document) -> Document:
    """Without the attempt, when the mark alone says it."""
    both = question.error is not None and question.status is not None
    return rest if both else {name: value for name, value in rest.items() if name != "attempts"}


def _key(one: Mapping[str, Any]) -> tuple[datetime, str]:
    return one["planned_at"], one["_id"]


def _newest_first(rows: Sequence[Document]) -> list[Document]:
    return sorted(rows, key=_key, reverse=True)
