"""The public titles of publications, from the bus: growth events hold ids only, and people want to read a name."""

from collections.abc import Sequence
from typing import Any, Final

from shared.catalogue import (
    ArchiveCorrected,
    ArchivePublished,
    ArchiveWithdrawn,
    Event,
    GrowthSpikeClosed,
    GrowthSpikeDetected,
    Title,
)
from shared.store.mongo import Document, Session, Store, UpdateOne

PUBLICATIONS: Final = "publications"
_TELLING = ArchivePublished | ArchiveCorrected | ArchiveWithdrawn
_NAMING = GrowthSpikeDetected | GrowthSpikeClosed


class Publications:
    """One document a publication. The title of a higher version stands, in whatever order the events come."""

    def __init__(self, store: Store) -> None:
        self._collection = store.collection(PUBLICATIONS)

    async def feed(self, events: Sequence[Event], session: Session) -> None:
        """Notes titles, and forgets those of what was withdrawn."""
        writes = [_write(event) for event in events if isinstance(event.data, _TELLING) and _tells_title(event)]
        if writes:
            await self._collection.bulk_write(writes, session=session)

    async def titles(self, events: Sequence[Event], session: Session) -> dict[str, Title]:
        """The titles that sentences about these events need, by publication; those not known are not there."""
        wanted = {event.envelope.subject for event in events if isinstance(event.data, _TELLING | _NAMING)}
        if not wanted:
            return {}
        found = await self._collection.find(
            {"_id": {"$in": sorted(wanted)}, "title": {"$ne": None}}, session=session
        ).to_list(None)
        return {document["_id"]: Title(**document["title"]) for document in found}


def _tells_title(event: Event) -> bool:
    """A correction that leaves the title says nothing of it."""
    return not isinstance(event.data, ArchiveCorrected) or event.data.title is not None


def _write(event: Event) -> UpdateOne:
    title: Document | None = None
    if isinstance(event.data, ArchivePublished | ArchiveCorrected) and event.data.title is not None:
        title = event.data.title.model_dump()
    version = event.envelope.aggregate_version
    newer = {"$gt": [version, {"$ifNull": ["$version", 0]}]}
    change: dict[str, Any] = {
        "title": {"$cond": [newer, {"$literal": title}, "$title"]},
        "version": {"$max": [version, {"$ifNull": ["$version", 0]}]},
    }
    return UpdateOne({"_id": event.envelope.subject}, [{"$set": change}], upsert=True)
