"""The records of people's real ids given to others, as article 29 of the APPI asks: written first, kept three years."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.notify.delivery import Settled
from shared.store.mongo import Collection, Document, Store, UpdateOne

DISCLOSURES: Final = "disclosures"
KEPT_DAYS: Final = 3 * 365 + 1
_DAY_S: Final = 24 * 3600
_DECLARED: Final = ("recipient", "country", "legal_basis", "foreign_basis", "purpose")


class Disclosures:
    """One document for each delivery that was taken. An erase leaves them: the law asks that they be kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._collection: Collection = store.collection(DISCLOSURES)

    async def prepare(self) -> None:
        """Creates the indexes; safe to repeat."""
        await self._collection.create_index([("endpoint", 1), ("at", 1)], name="endpoint")
        await self._collection.create_index("members", name="members")
        await self._store.ensure_expiry(DISCLOSURES, "at", KEPT_DAYS * _DAY_S)

    async def note(self, settled: Sequence[Settled]) -> None:
        """Records what was taken of these, durably; a repeat after a crash changes nothing."""
        writes = [_write(one) for one in settled if _gave_ids_away(one)]
        if writes:
            await self._collection.bulk_write(writes, ordered=False)

    async def find(
        self, endpoint_id: str | None, since: datetime | None, until: datetime | None, limit: int
    ) -> list[Document]:
        """The records from `since` up to before `until`, oldest first."""
        wanted: dict[str, Any] = {} if endpoint_id is None else {"endpoint": endpoint_id}
        moments = {"$gte": since, "$lt": until}
        between = {name: moment for name, moment in moments.items() if moment is not None}
        if between:
            wanted["at"] = between
        found: list[Document] = (
            await self._collection.find(wanted).sort([("at", 1), ("_id", 1)]).limit(limit).to_list(None)
        )
        return found


def _gave_ids_away(settled: Settled) -> bool:
    return settled.disclosed is not None and bool(settled.delivery.people) and settled.verdict.state == "delivered"


def _write(settled: Settled) -> UpdateOne:
    delivery, declared = settled.delivery, settled.disclosed or {}
    record = {
        "at": datetime.fromtimestamp(settled.ended_ms / 1000, UTC),
        "endpoint": delivery.endpoint_id,
        "webhook_id": delivery.id,
        "event_type": delivery.event_type,
        "members": list(delivery.people),
        **{name: declared.get(name) for name in _DECLARED},
        "state": settled.verdict.state,
    }
    # By attempt, so that a replay of the same delivery is a record of its own.
    return UpdateOne({"_id": f"{delivery.id}.{delivery.made + 1}"}, {"$setOnInsert": record}, upsert=True)
