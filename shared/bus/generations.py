"""Generations of a read model: a rebuild fills n+1 beside the live n, and one document swaps them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.store.mongo import Collection, Direct, Session, Store

_COLLECTION = "generations"


@dataclass(frozen=True, slots=True)
class Tx:
    """What an `apply` writes with: the transaction's session and the collections of its generation.

    `looked` is what the subscription's `look` found. What it appends to `last` are the transaction's last steps, in
    order, `together` with its commit. What it appends to `after` is called, once and soon, when the transaction was
    committed by this process; a crash in between leaves it uncalled.
    """

    session: Session
    store: Store
    generation: int
    looked: Any = None
    last: list[Callable[[Direct], None]] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)

    def collection(self, name: str) -> Collection:
        """The generation's own collection; pass `session=tx.session` to every call on it."""
        return self.store.collection(collection_name(name, self.generation))


def collection_name(name: str, generation: int) -> str:
    return f"{name}.g{generation}"


async def current(store: Store, group: str, session: Session = None) -> int:
    """The generation that serves; 1 until there was a rebuild."""
    row = await store.collection(_COLLECTION).find_one({"_id": group}, session=session)
    return int(row["current"]) if row else 1


async def swap(store: Store, group: str, generation: int, session: Session) -> None:
    """From the commit of `session` on, `generation` serves."""
    await store.collection(_COLLECTION).update_one(
        {"_id": group}, {"$set": {"current": generation}}, upsert=True, session=session
    )


async def drop(store: Store, generation: int) -> None:
    """Removes the collections of one generation."""
    for name in await store.db.list_collection_names():
        if name.endswith(f".g{generation}"):
            await store.db.drop_collection(name)
