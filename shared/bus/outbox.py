"""The outbox: events that are decided and stored, waiting for Kafka; a document vanishes when Kafka has it."""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import clock
from shared.catalogue import Envelope, Event, EventType, Record, encode_all
from shared.store.mongo import Document

COLLECTION = "outbox"
SHARDS = 8


@dataclass(frozen=True, slots=True)
class Fact:
    """One event on its way out: what happened to whom, as which version of the aggregate."""

    id: str
    type: EventType
    data: Any
    subject: str
    version: int
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None


def shard_of(aggregate_id: str) -> int:
    return zlib.crc32(aggregate_id.encode()) % SHARDS


def shard_range(shard: int) -> Document:
    """A filter on `_id` for one shard's documents; in `_id` order they are in order per aggregate."""
    return {"_id": {"$gte": f"{shard}|", "$lt": f"{shard}}}"}}


def documents(source: str, facts: Iterable[Fact], wall_ms: int | None = None) -> list[Document]:
    """Outbox documents of `facts`; `_id` = shard | aggregate | version | part orders them per aggregate.

    `wall_ms` (now) becomes Kafka's timestamp: when the event was recorded, on the wall clock. Raises the
    catalogue's TooLarge above 256 KiB.
    """
    stamp = wall_ms or clock.wall_ms()
    found: list[Document] = []
    for part, fact in enumerate(facts):
        event = Event(_envelope(source, fact), fact.data)
        for overlap, record in enumerate(encode_all(event)):
            found.append(_document(fact, record, stamp, f"{part:04d}.{overlap}"))
    return found


def _envelope(source: str, fact: Fact) -> Envelope:
    return Envelope(
        id=fact.id,
        source=source,
        type=fact.type.type,
        subject=fact.subject,
        time=fact.occurred_at,
        recorded_time=fact.recorded_at,
        aggregate_version=fact.version,
        correlation_id=fact.correlation_id,
        causation_id=fact.causation_id,
        traceparent=fact.traceparent,
    )


def _document(fact: Fact, record: Record, stamp: int, part: str) -> Document:
    return {
        "_id": f"{shard_of(fact.subject)}|{fact.subject}|{fact.version:010d}|{part}",
        "topic": record.topic,
        "key": record.key,
        "value": record.value,
        "headers": [[name, value] for name, value in record.headers],
        "stamp": stamp,
    }
