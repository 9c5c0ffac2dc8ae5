"""The inbox: ids of applied events, so that what a producer sent twice counts once (offsets guard the rest)."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from shared.catalogue import Envelope
from shared.store.mongo import Document, Session

KEPT_S = 30 * 24 * 3600


def inbox_id(envelope: Envelope) -> bytes:
    """16 bytes for (source, id), the pair that CloudEvents makes unique."""
    return hashlib.blake2b(f"{envelope.source}\n{envelope.id}".encode(), digest_size=16).digest()


def inbox_rows(ids: Iterable[bytes]) -> list[Document]:
    now = datetime.now(UTC)
    return [{"_id": one, "at": now} for one in ids]


async def seen_before(collection: Any, ids: Iterable[bytes], session: Session) -> set[bytes]:
    """Which of `ids` were applied already; read first, as a refused insert would abort the whole transaction."""
    found = await collection.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session).to_list(None)
    return {row["_id"] for row in found}
