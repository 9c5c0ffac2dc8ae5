"""The records of people's real ids given to others, as article 29 of the APPI asks: written first, kept three years."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from services.notify.delivery import Settled, people_in
from services.notify.domain import completed
from shared.clock import moment_of
from shared.store.mongo import Collection, Document, Store, UpdateOne

DISCLOSURES: Final = "disclosures"
KEPT_DAYS: Final = 3 * 365 + 1
_DAY_S: Final = 24 * 3600
_DECLARED: Final = ("recipient", "country", "legal_basis", "foreign_basis", "purpose")


class Disclosures:
    """One document for each delivery that was taken, or read by its owner. An erase leaves them, by law."""

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

    async def note_read(self, endpoint: Document, deliveries: Sequence[Document]) -> None:
        """Records whose real ids an owner is about to read in payloads, once for each delivery."""
        full = completed(endpoint)
        if full["identifiers"] != "real":
            return
        now = datetime.now(UTC)
        writes = [_read_write(one, full["disclosure"] or {}, now) for one in deliveries if "body" in one]
        if any(writes):
            await self._collection.bulk_write([write for write in writes if write is not None], ordered=False)

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
    delivery, at = settled.delivery, moment_of(settled.ended_ms)
    about = {"endpoint": delivery.endpoint_id, "webhook_id": delivery.id, "event_type": delivery.event_type}
    # By attempt, so that a replay of the same delivery is a record of its own.
    number = str(delivery.made + 1)
    return _record(number, {**about, "members": list(delivery.people)}, settled.disclosed or {}, at, "delivered")


def _read_write(found: Document, declared: Mapping[str, Any], at: datetime) -> UpdateOne | None:
    people = people_in(found)
    if not people:
        return None
    about = {"endpoint": found["endpoint"], "webhook_id": found["_id"], "event_type": found["event_type"]}
    return _record("read", {**about, "members": list(people)}, declared, at, "read")


def _record(number: str, about: Document, declared: Mapping[str, Any], at: datetime, state: str) -> UpdateOne:
    record = {"at": at, **about, **{name: declared.get(name) for name in _DECLARED}, "state": state}
    return UpdateOne({"_id": f"{about['webhook_id']}.{number}"}, {"$setOnInsert": record}, upsert=True)
