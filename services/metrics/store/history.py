"""The ledger that was known last, and what late facts have changed since the beginning; no generation's."""

from collections.abc import Mapping

from services.metrics.domain.board import Restated
from services.metrics.domain.restating import Settled
from shared.store.mongo import Session, Store, UpdateOne

KEPT = 50
_RESTATED, _SETTLED = "restated", "settled"
_ID = "all"


class History:
    """Reads for anybody; writes in the transaction of the board alone."""

    def __init__(self, store: Store) -> None:
        self._restated = store.collection(_RESTATED)
        self._settled = store.collection(_SETTLED)

    async def settled(self) -> Settled | None:
        """What was known when ingest had caught up last."""
        row = await self._settled.find_one({"_id": _ID})
        if row is None:
            return None
        return Settled(as_of=row["as_of"], joins=row["joins"], rows={one.pop("id"): one for one in row["rows"]})

    async def newest(self) -> dict[str, Restated]:
        """The last restatement of each publication that has one."""
        found = self._restated.find({}, {"entries": {"$slice": -1}})
        return {row["_id"]: Restated(**row["entries"][0]) async for row in found}

    async def of(self, publication_id: str) -> list[Restated]:
        """The last fifty restatements of one publication, oldest first."""
        row = await self._restated.find_one({"_id": publication_id})
        return [Restated(**entry) for entry in row["entries"]] if row else []

    async def write(self, known: Settled, found: Mapping[str, Restated], session: Session) -> None:
        """What is known from now on, and what had to be restated."""
        rows = [{"id": publication, **figures.model_dump()} for publication, figures in known.rows.items()]
        content = {"as_of": known.as_of, "joins": known.joins, "rows": rows}
        await self._settled.replace_one({"_id": _ID}, content, upsert=True, session=session)
        writes = [
            UpdateOne(
                {"_id": publication},
                {"$push": {"entries": {"$each": [entry.model_dump()], "$slice": -KEPT}}},
                upsert=True,
            )
            for publication, entry in found.items()
        ]
        if writes:
            await self._restated.bulk_write(writes, ordered=False, session=session)
