"""The last events of the log, read from Kafka when somebody asks: planning, which is hot, keeps no copy for it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.notify.domain import OFFERED, TOPICS
from shared.bus.kafka_metadata import describe
from shared.bus.reader import event_of, reading
from shared.catalogue import Event
from shared.web.problems import unavailable

MOST: Final = 100
_FRESH_S: Final = 1.0
_PATIENCE_S: Final = 10.0


class Recent:
    """Reads at most once a second, however many ask; one read holds at most 100 records of each partition."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._one_at_a_time = asyncio.Lock()
        self._read_at = -_FRESH_S
        self._events: Sequence[Event] = ()

    async def events(self) -> Sequence[Event]:
        """The last 100 events that endpoints can hear, newest first. Raises Problem (503) when Kafka is away."""
        async with self._one_at_a_time:
            if time.monotonic() - self._read_at >= _FRESH_S:
                try:
                    async with asyncio.timeout(_PATIENCE_S):
                        self._events = _newest(await _tails(self._bootstrap))
                except (KafkaError, OSError, TimeoutError):
                    raise unavailable("The log cannot be read now. Repeat the request.") from None
                self._read_at = time.monotonic()
            return self._events


async def _tails(bootstrap: str) -> list[Any]:
    """The last records of every partition."""
    _, places = await describe(bootstrap, TOPICS)
    async with reading(bootstrap) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        begins = await consumer.beginning_offsets(places)
        held = [place for place in places if begins[place] < ends[place]]
        if not held:
            return []
        consumer.assign(held)
        for place in held:
            consumer.seek(place, max(begins[place], ends[place] - MOST))
        return await _until(consumer, {place: ends[place] for place in held})


async def _until(consumer: Any, ends: Mapping[TopicPartition, int]) -> list[Any]:
    records: list[Any] = []
    left = set(ends)
    while left:
        for place, batch in (await consumer.getmany(timeout_ms=500)).items():
            records += [record for record in batch if record.offset < ends[place]]
        left = {place for place in left if await consumer.position(place) < ends[place]}
    return records


def _newest(records: Sequence[Any]) -> Sequence[Event]:
    found: list[Event] = []
    for record in sorted(records, key=lambda one: (one.timestamp, one.offset), reverse=True):
        event = event_of(record, OFFERED)
        if event is not None:
            found.append(event)
        if len(found) == MOST:
            break
    return found
