"""Dead letters: what a group could not apply, kept with its original bytes and the reason; list, show, replay."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.producer import Producer
from shared.bus.topics import GROUPS, dead_letter_topic, retry_topic

MAX_BYTES = 8 * 1024 * 1024
_PREFIX = "dlt_"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. `topic`, `partition`, `offset` say where it lies; `source_*` where it came from.

    `headers` and `value` are the original's; its repr shows neither.
    """

    topic: str
    group: str
    partition: int
    offset: int
    reason: str
    error: str
    source_topic: str
    source_partition: int
    source_offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    def __repr__(self) -> str:
        return f"DeadLetter({self.topic}-{self.partition}@{self.offset}: {self.reason})"


class DeadLetterBox:
    """Where one group's consumer puts poison. `put` returns when Kafka has acknowledged; it raises KafkaError."""

    def __init__(self, producer: Producer, group: str) -> None:
        self._producer = producer
        self._group = group

    async def put(self, record: Any, reason: str, error: str) -> None:
        client = await self._producer.client()
        own = {
            "dlt_reason": reason,
            "dlt_error": error[:500],
            "dlt_group": self._group,
            "dlt_topic": record.topic,
            "dlt_partition": str(record.partition),
            "dlt_offset": str(record.offset),
            "dlt_timestamp_ms": str(record.timestamp),
        }
        headers = [(name, value) for name, value in record.headers if not name.startswith(_PREFIX)]
        headers += [(name, value.encode()) for name, value in own.items()]
        await client.send_and_wait(
            dead_letter_topic(record.topic, self._group), value=record.value, key=record.key, headers=headers
        )


async def read(bootstrap: str, topic: str | None = None, group: str | None = None) -> AsyncIterator[DeadLetter]:
    """Every dead letter that is kept, oldest first in each topic; `topic` is a dead-letter or a source topic."""
    wanted = [
        (dead_letter_topic(source, name), name)
        for name, topics in GROUPS.items()
        for source in topics
        if group in (None, name) and topic in (None, source, dead_letter_topic(source, name))
    ]
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        max_partition_fetch_bytes=MAX_BYTES,
        auto_offset_reset="earliest",
    ) as consumer:
        for name, owner in wanted:
            place = TopicPartition(name, 0)
            async for record in _all_of(consumer, place):
                yield letter(record, owner)


async def _all_of(consumer: Any, place: TopicPartition) -> AsyncIterator[Any]:
    consumer.assign([place])
    end = (await consumer.end_offsets([place]))[place]
    position = (await consumer.beginning_offsets([place]))[place]
    consumer.seek(place, position)
    while position < end:
        for records in (await consumer.getmany(place, timeout_ms=1_000)).values():
            for record in records:
                yield record
        position = await consumer.position(place)


def letter(record: Any, owner: str) -> DeadLetter:
    """A record of a dead-letter topic as what it is; `owner` is the group where the headers name none."""
    own = {name: value.decode(errors="replace") for name, value in record.headers if name.startswith(_PREFIX)}
    return DeadLetter(
        topic=record.topic,
        group=own.get("dlt_group", owner),
        partition=record.partition,
        offset=record.offset,
        reason=own.get("dlt_reason", "unknown"),
        error=own.get("dlt_error", ""),
        source_topic=own.get("dlt_topic", ""),
        source_partition=int(own.get("dlt_partition", -1)),
        source_offset=int(own.get("dlt_offset", -1)),
        timestamp_ms=int(own.get("dlt_timestamp_ms", record.timestamp)),
        key=record.key,
        value=record.value,
        headers=tuple((name, value) for name, value in record.headers if not name.startswith(_PREFIX)),
    )


async def replay(producer: Producer, letters: Sequence[DeadLetter]) -> int:
    """Gives dead letters to their group again (its retry topic, never the source topic); returns how many.

    Bytes, headers and the time of recording are the original's; what was applied before is skipped by the inbox.
    """
    client = await producer.client()
    for letter in letters:
        source = letter.topic.removesuffix(f".{letter.group}.dlt")
        await client.send_and_wait(
            retry_topic(source, letter.group),
            value=letter.value,
            key=letter.key,
            headers=list(letter.headers),
            timestamp_ms=letter.timestamp_ms,
        )
    return len(letters)
