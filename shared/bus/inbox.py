"""The inbox: ids of applied events, so that what a producer sent twice counts once (offsets guard the rest)."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

from shared.catalogue import Envelope
from shared.store.mongo import Direct, Document, StoreError, TryAgain, is_duplicate

KEPT_S = 30 * 24 * 3600


def inbox_id(envelope: Envelope) -> bytes:
    """16 bytes for (source, id), the pair that CloudEvents makes unique."""
    return hashlib.blake2b(f"{envelope.source}\n{envelope.id}".encode(), digest_size=16).digest()


def inbox_rows(ids: Iterable[bytes]) -> list[Document]:
    now = datetime.now(UTC)
    return [{"_id": one, "at": now} for one in ids]


class Repeated(TryAgain):
    """Some of the ids are there already: the transaction is over, and its next try asks which."""


def note(inbox: str, ids: Iterable[bytes], direct: Direct) -> None:
    """Writes down `ids` as applied. Raises Repeated, which must abort the transaction."""
    try:
        direct.collection(inbox).insert_many(inbox_rows(ids), ordered=False, session=direct.session)
    except StoreError as error:
        if not is_duplicate(error):
            raise
        raise Repeated("an event was applied before") from error


def seen_before(inbox: str, ids: Iterable[bytes], direct: Direct) -> set[bytes]:
    """Which of `ids` were applied already."""
    wanted = {"_id": {"$in": list(ids)}}
    return {row["_id"] for row in direct.collection(inbox).find(wanted, {"_id": 1}, session=direct.session)}
