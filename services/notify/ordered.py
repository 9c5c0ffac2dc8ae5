"""Ordered deliveries in the database: who waits for which key, who holds it, and who stands behind (ADR 0015).

Of the deliveries with a `key`, those that were never tried have `next_at_ms` 0 and are read by sequence. One that
failed has its time and `holds`; given up, it keeps `holds` and parks its key. Those behind have `behind` and no time,
so that no read of what is due ever meets them.
"""

from collections.abc import Iterable
from typing import Final

from services.notify.delivery import UNTRIED, Waiting, waiting_of
from services.notify.lines import MOST_IN_LINE
from services.notify.store import DELIVERIES, LANES
from shared.store.mongo import Store

_KEYED: Final = {"state": "waiting", "key": {"$exists": True}}
_HOLDS: Final = {"holds": True}
_BEHIND: Final = {"behind": True}


class OrderedStore:
    """Reads and writes for lanes that keep order, and for owners who set a key free. Raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._deliveries = store.collection(DELIVERIES)
        self._lanes = store.collection(LANES)

    async def prepare(self) -> None:
        """Creates the indexes; safe to repeat."""
        for name, fields, those in (
            ("line", ("endpoint", "key", "sequence"), _KEYED),
            ("held", ("endpoint", "holds", "key"), _HOLDS),
            ("behind", ("endpoint", "behind", "key"), _BEHIND),
        ):
            await self._deliveries.create_index(
                [(field, 1) for field in fields], name=name, partialFilterExpression=those
            )

    async def arrivals(self, endpoint_id: str, after: int, limit: int) -> list[Waiting]:
        """What was never tried, nor put behind, with a sequence above `after`, in order."""
        found = await (
            self._deliveries.find(
                {"endpoint": endpoint_id, "state": "waiting", "next_at_ms": UNTRIED, "sequence": {"$gt": after}}
            )
            .sort("sequence", 1)
            .limit(limit)
            .to_list(None)
        )
        return [waiting_of(document) for document in found]

    async def line(self, endpoint_id: str, key: str) -> list[Waiting]:
        """The first `MOST_IN_LINE` that wait for a key."""
        found = await (
            self._deliveries.find({"endpoint": endpoint_id, "state": "waiting", "key": key})
            .sort("sequence", 1)
            .limit(MOST_IN_LINE)
            .to_list(None)
        )
        return [waiting_of(document) for document in found]

    async def shelve(self, ids: Iterable[str]) -> None:
        """Puts deliveries behind, but for one that holds its key by now."""
        await self._deliveries.update_many(
            {"_id": {"$in": list(ids)}, "state": "waiting", "holds": {"$exists": False}},
            {"$set": {"behind": True}, "$unset": {"next_at_ms": ""}},
        )

    async def held(self, endpoint_id: str) -> dict[str, str]:
        """The keys that are held, and by which delivery."""
        found = await self._deliveries.find({"endpoint": endpoint_id, "holds": True}, {"key": 1}).to_list(None)
        return {one["key"]: one["_id"] for one in found}

    async def behind(self, endpoint_id: str) -> list[str]:
        """The keys that have deliveries behind; one step of the index for each key, however many they are."""
        found: list[str] = await self._deliveries.distinct("key", {"endpoint": endpoint_id, "behind": True})
        return found

    async def release(self, endpoint_id: str, key: str) -> None:
        """Lets the deliveries of a key go on whose first was given up (or has been taken out of the queue since)."""
        await self._deliveries.update_many(
            {"endpoint": endpoint_id, "holds": True, "key": key, "state": {"$ne": "waiting"}}, {"$unset": {"holds": ""}}
        )
        await self.ring(endpoint_id)

    async def ring(self, endpoint_id: str) -> None:
        """Tells the endpoint's lane, wherever it is, that somebody else has changed its deliveries."""
        await self._lanes.update_one({"_id": endpoint_id}, {"$inc": {"rung": 1}})
