"""Rows that are sums: ingest adds to them, each written once a batch."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.bus.generations import Tx
from shared.store.mongo import Document, UpdateOne, insert_new


class Added(NamedTuple):
    """What to add to one row: its id, the fields that say what it is (set once), and numbers by field."""

    id: str
    about: Document
    numbers: Mapping[str, int]


async def add_sums(tx: Tx, collection: str, rows: Iterable[Added]) -> None:
    """Adds to the rows of one collection of the generation; a row's id comes at most once."""
    found = [row for row in rows if row.numbers]
    if tx.session is None:
        found = await _insert(tx, collection, found)
    writes = [
        UpdateOne({"_id": row.id}, {"$inc": dict(row.numbers), "$setOnInsert": row.about}, upsert=True) for row in found
    ]
    if writes:
        await tx.collection(collection).bulk_write(writes, ordered=False, session=tx.session)


async def _insert(tx: Tx, collection: str, rows: list[Added]) -> list[Added]:
    """What a rebuild can do, being the one writer and in no transaction: rows that are new, and most are, are inserted
    whole, at a fifth of an upsert's cost. Gives back those that were there."""
    if not rows:
        return rows
    there = await insert_new(tx.collection(collection), [{"_id": row.id, **row.about, **row.numbers} for row in rows])
    return [rows[index] for index in there]
