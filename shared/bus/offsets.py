"""Consumer offsets beside the state they belong to, moved by compare-and-set in the same transaction."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.store.mongo import Direct, Document, Session, Store, StoreError, UpdateOne, is_duplicate

_COLLECTION = "offsets"


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Fenced(Exception):
    """The stored offset is not the one that this consumer last saw: somebody else has moved on; nothing was written."""


class Move(NamedTuple):
    """From the offset this consumer last saw (`seen`) to the next one to read (`following`)."""

    seen: int
    following: int


class Offsets:
    """The next offset to read of each (group, generation, cluster, topic, partition)."""

    def __init__(self, store: Store, group: str, cluster: str) -> None:
        self._store = store
        self._group = group
        self._cluster = cluster

    async def load(self, generation: int, places: Iterable[Place]) -> dict[Place, int]:
        """The stored offsets of `places`; a place without one is missing from the answer."""
        by_id = {self._id(generation, place): place for place in places}
        rows = await self._store.collection(_COLLECTION).find({"_id": {"$in": list(by_id)}}).to_list(None)
        return {by_id[row["_id"]]: int(row["next"]) for row in rows}

    async def begin(self, generation: int, starts: Mapping[Place, int]) -> None:
        """Fixes where a group starts; an offset that is stored already stays."""
        writes = [
            UpdateOne({"_id": self._id(generation, place)}, {"$setOnInsert": self._row(place, offset)}, upsert=True)
            for place, offset in starts.items()
        ]
        try:
            await self._store.collection(_COLLECTION).bulk_write(writes, ordered=False)
        except StoreError as error:
            if not is_duplicate(error):
                raise

    def advance(self, generation: int, moves: Mapping[Place, Move], direct: Direct) -> None:
        """Moves every offset on, or raises Fenced, which must abort the transaction."""
        writes = [
            UpdateOne({"_id": self._id(generation, place), "next": move.seen}, {"$set": {"next": move.following}})
            for place, move in moves.items()
        ]
        result = direct.collection(_COLLECTION).bulk_write(writes, ordered=False, session=direct.session)
        if result.matched_count != len(writes):
            raise Fenced(f"{self._group}: {len(writes) - result.matched_count} of {len(writes)} partitions moved on")

    async def put(self, generation: int, offsets: Mapping[Place, int], session: Session) -> None:
        """Writes offsets without a comparison: for a generation that nobody else reads yet."""
        writes = [
            UpdateOne({"_id": self._id(generation, place)}, {"$set": self._row(place, offset)}, upsert=True)
            for place, offset in offsets.items()
        ]
        await self._store.collection(_COLLECTION).bulk_write(writes, ordered=False, session=session)

    def _row(self, place: Place, offset: int) -> Document:
        return {"group": self._group, "topic": place.topic, "partition": place.partition, "next": offset}

    def _id(self, generation: int, place: Place) -> str:
        return f"{self._group}|{generation}|{self._cluster}|{place.topic}|{place.partition}"
