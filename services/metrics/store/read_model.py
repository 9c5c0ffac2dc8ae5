"""What ingest writes and evaluate reads; its collections belong to a generation (a rebuild makes one more)."""

from collections.abc import Collection as Many
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.captured import Named
from services.metrics.domain.counts import ALL, Cell, Change
from services.metrics.domain.publications import Fields, Publication, merge, publication
from services.metrics.store.sums import Added, add_sums
from shared.bus import generations
from shared.bus.generations import Tx
from shared.catalogue import Event
from shared.store.mongo import Collection, Document, ReplaceOne, Store

GROUP = "metrics"
COUNTS, NAMED, PUBLICATIONS, CLOCK = "counts", "named", "publications", "clock"

# Row ids sort by stream and hour: the offset keeps hours positive and of one width.
_OFFSET_H = 10_000_000
_AFTER_ALL_HOURS = "~"


def row_id(cell: Cell) -> str:
    """The id of a cell's document."""
    return f"{cell.stream}|{cell.hour + _OFFSET_H}|{cell.partition}"


async def add_counts(tx: Tx, changes: Mapping[Cell, Change]) -> None:
    """Adds to the cells of all streams."""
    rows = (Added(row_id(cell), cell._asdict(), _nonzero(change)) for cell, change in changes.items())
    await add_sums(tx, COUNTS, rows)


async def add_named(tx: Tx, changes: Mapping[Named, int]) -> None:
    """Adds joins that name a publication as their source."""
    await add_sums(tx, NAMED, (Added("|".join(map(str, at)), at._asdict(), {"joins": n}) for at, n in changes.items()))


def _nonzero(change: Change) -> dict[str, int]:
    return {name: value for name, value in change._asdict().items() if value}


async def merge_publications(tx: Tx, events: Iterable[Event]) -> None:
    """Merges what events say into their publications."""
    by_id: dict[str, list[Event]] = {}
    for event in events:
        by_id.setdefault(event.envelope.subject, []).append(event)
    if not by_id:
        return
    collection = tx.collection(PUBLICATIONS)
    known = {
        row["_id"]: _fields(row) async for row in collection.find({"_id": {"$in": list(by_id)}}, session=tx.session)
    }
    writes = []
    for publication_id, said in by_id.items():
        fields = known.get(publication_id, {})
        for event in said:
            fields = merge(fields, event)
        writes.append(ReplaceOne({"_id": publication_id}, {"fields": _stored(fields)}, upsert=True))
    await collection.bulk_write(writes, ordered=False, session=tx.session)


async def pass_time(tx: Tx, said: Many[datetime]) -> None:
    """Time has passed: the stream reaches from the first `until` ever said to the last."""
    bounds = {"$min": {"since": min(said)}, "$max": {"until": max(said)}}
    await tx.collection(CLOCK).update_one({"_id": CLOCK}, bounds, upsert=True, session=tx.session)


class StreamTime(NamedTuple):
    """From when to when a stream's time has passed; None before the first time-passed, and with a wall clock."""

    since: datetime | None = None
    until: datetime | None = None


class CountRow(NamedTuple):
    """One document of counts as it stands."""

    id: str
    stream: str
    hour: int
    change: Change


class NamedRow(NamedTuple):
    """One document of joins that name a publication, as it stands."""

    id: str
    stream: str
    ref: str
    hour: int
    joins: int


class ReadModel:
    """Reads one generation."""

    def __init__(self, store: Store, generation: int) -> None:
        self._store = store
        self.generation = generation

    @classmethod
    async def serving(cls, store: Store) -> "ReadModel":
        """The generation that serves now."""
        return cls(store, await generations.current(store, GROUP))

    def name(self, collection: str) -> str:
        """A collection's name in this generation, for a change stream."""
        return generations.collection_name(collection, self.generation)

    async def counts(self, ids: Many[str] | None = None) -> list[CountRow]:
        """The rows of all streams; of `ids` alone where given."""
        found = self._collection(COUNTS).find(_of(ids), batch_size=10_000)
        return [_count_row(row) async for row in found]

    async def named(self, ids: Many[str] | None = None) -> list[NamedRow]:
        """Joins that name a publication, of all streams; of `ids` alone where given."""
        found = self._collection(NAMED).find(_of(ids), batch_size=10_000)
        return [
            NamedRow(row["_id"], row["stream"], row["ref"], row["hour"], row.get("joins", 0)) async for row in found
        ]

    async def publications(self, ids: Many[str] | None = None) -> dict[str, Publication | None]:
        """Publications by id, None for those that are not (or no longer) public."""
        found = self._collection(PUBLICATIONS).find(_of(ids))
        return {row["_id"]: publication(row["_id"], _fields(row)) async for row in found}

    async def stream_time(self) -> StreamTime:
        """What time-passed events said."""
        row = await self._collection(CLOCK).find_one({"_id": CLOCK}, {"_id": 0})
        return StreamTime(**row) if row else StreamTime()

    async def sums(self, start: int | None = None, end: int | None = None) -> dict[int, Change]:
        """Changes per hour from `start` up to `end` (not included), summed over partitions."""
        stages = [
            {"$match": {"_id": _range(start, end)}},
            {
                "$group": {
                    "_id": "$hour",
                    "joins": {"$sum": "$joins"},
                    "day_joins": {"$sum": "$day_joins"},
                    "members": {"$sum": "$members"},
                }
            },
            {"$sort": {"_id": 1}},
        ]
        rows = self._collection(COUNTS).aggregate(stages)
        return {row["_id"]: Change(row["joins"], row["day_joins"], row["members"]) async for row in rows}

    async def first_join(self) -> int | None:
        """The first hour that has a join; None when there is none."""
        grown = {"$or": [{"joins": {"$gt": 0}}, {"day_joins": {"$gt": 0}}]}
        row = await self._collection(COUNTS).find_one({"_id": _range(None, None), **grown}, sort=[("_id", 1)])
        return row["hour"] if row else None

    async def members(self, end: int | None) -> int:
        """Members by what happened before hour `end`; None for all that is known."""
        stages = [
            {"$match": {"_id": _range(None, end)}},
            {"$group": {"_id": None, "members": {"$sum": "$members"}}},
        ]
        return sum([row["members"] async for row in self._collection(COUNTS).aggregate(stages)])

    def _collection(self, name: str) -> Collection:
        return self._store.collection(self.name(name))


def _range(start: int | None, end: int | None) -> Document:
    first = f"{ALL}|" if start is None else f"{ALL}|{start + _OFFSET_H}|"
    last = f"{ALL}|{_AFTER_ALL_HOURS}" if end is None else f"{ALL}|{end + _OFFSET_H}|"
    return {"$gte": first, "$lt": last}


def _of(ids: Many[str] | None) -> Document:
    return {} if ids is None else {"_id": {"$in": list(ids)}}


def _count_row(row: Document) -> CountRow:
    change = Change(row.get("joins", 0), row.get("day_joins", 0), row.get("members", 0))
    return CountRow(row["_id"], row["stream"], row["hour"], change)


def _fields(row: Document) -> Fields:
    return {name: (said["version"], said["value"]) for name, said in row["fields"].items()}


def _stored(fields: Fields) -> Document:
    return {name: {"version": version, "value": value} for name, (version, value) in fields.items()}
