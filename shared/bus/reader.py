"""A reader of partitions without a group, closed in every case."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer

from shared.catalogue import Event, Poison, decode


@asynccontextmanager
async def reading(bootstrap: str, **settings: Any) -> AsyncIterator[Any]:
    """A started AIOKafkaConsumer that has no place yet; its own context would leave one open whose start is cut short.

    `settings` are the consumer's own. Raises KafkaError when no broker answers.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, **settings)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def event_of(record: Any, wanted: Collection[str]) -> Event | None:
    """The event of a record; None for what such a reader passes over: what is poison lies in the dead letters."""
    try:
        event = decode(record.topic, record.key, record.value, record.headers, wanted=wanted)
    except Poison:
        return None
    return event if isinstance(event, Event) else None
