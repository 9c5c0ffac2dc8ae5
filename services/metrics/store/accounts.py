"""Daily aggregates of growth accounting: ingest adds to them, queries read sums of them; no query scans members."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from services.metrics.domain.daily import UNDATED, Day, Field
from services.metrics.store.profiles import SPLITS
from services.metrics.store.read_model import GROUP
from services.metrics.store.sums import Added, add_sums
from shared.bus import generations
from shared.bus.generations import Tx
from shared.store.mongo import Document, Store

DAILY = "daily"


async def add_daily(tx: Tx, changes: Mapping[Day, Mapping[Field, int]]) -> None:
    """Adds to the days."""
    rows = []
    for (day, partition), numbers in changes.items():
        about: Document = {"day": day.isoformat(), "month": f"{day:%Y-%m}", "partition": partition}
        rows.append(Added(f"{day.isoformat()}|{partition}", about, numbers))
    await add_sums(tx, DAILY, rows)


class Joined(NamedTuple):
    """Joins by source, joins by month of joining, leaves by month of joining; months may be `undated`, `untold`."""

    by_source: dict[str, int]
    by_month: dict[str, int]
    left: dict[str, int]


class Accounts:
    """Reads the aggregates of one generation."""

    def __init__(self, store: Store, generation: int) -> None:
        self._daily = store.collection(generations.collection_name(DAILY, generation))
        self._splits = store.collection(generations.collection_name(SPLITS, generation))

    @classmethod
    async def serving(cls, store: Store) -> "Accounts":
        """The generation that serves now."""
        return cls(store, await generations.current(store, GROUP))

    async def joined(self, to: date | None = None) -> Joined:
        """Sums over all days up to and with `to`."""
        stages: list[Document] = [
            {"$match": {} if to is None else {"_id": {"$lt": f"{to.isoformat()}}}"}}},
            {"$project": {"month": 1, "said": {"$objectToArray": "$$ROOT"}}},
            {"$unwind": "$said"},
            {"$match": {"said.k": {"$regex": "^(source|joined|left):"}}},
            {"$group": {"_id": {"field": "$said.k", "month": "$month"}, "n": {"$sum": "$said.v"}}},
        ]
        found = Joined({}, {}, {})
        async for row in self._daily.aggregate(stages):
            what, _, key = row["_id"]["field"].partition(":")
            if what == "left":
                _add(found.left, key, row["n"])
                continue
            if what == "source":
                _add(found.by_source, key, row["n"])
            _add(found.by_month, row["_id"]["month"] if what == "source" else UNDATED, row["n"])
        return found

    async def organisations(self) -> int:
        """Organisations of at least one person whose join counts and whose data are not erased."""
        stages: list[Document] = [
            {"$match": {"split": "organisation"}},
            {"$group": {"_id": "$key", "people": {"$sum": "$people"}}},
            {"$match": {"people": {"$gt": 0}}},
            {"$count": "n"},
        ]
        return sum([row["n"] async for row in self._splits.aggregate(stages)])

    async def depths(self) -> dict[int, int]:
        """People by how many referrals deep they came, from 1 on."""
        stages: list[Document] = [
            {"$match": {"split": "depth"}},
            {"$group": {"_id": "$key", "people": {"$sum": "$people"}}},
        ]
        found = {int(row["_id"]): row["people"] async for row in self._splits.aggregate(stages)}
        return {depth: people for depth, people in sorted(found.items()) if people}


def _add(sums: dict[str, int], key: str, n: int) -> None:
    sums[key] = sums.get(key, 0) + n
