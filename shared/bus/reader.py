"""A reader of partitions without a group, closed in every case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer


@asynccontextmanager
async def reading(bootstrap: str) -> AsyncIterator[Any]:
    """A started AIOKafkaConsumer that has no place yet; its own context would leave one open whose start is cut short.

    Raises KafkaError when no broker answers.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()
