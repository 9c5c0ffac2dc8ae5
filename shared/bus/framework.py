"""The framework's consumer as this project wants it: batches of raw records, nothing committed before it is applied."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiokafka import ConsumerRebalanceListener, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage, KafkaMessage

from shared.bus.offsets import Place

_BATCH_MOST = 500

Handle = Callable[[Sequence[Any]], Awaitable[None]]


class Follow(Protocol):
    """Hears of the group: `rebalancing()` before this member joins anew, `assigned()` with what it then has."""

    def rebalancing(self) -> None: ...

    async def assigned(self, places: Sequence[Place]) -> None: ...


def make_broker(bootstrap: str, client_id: str) -> KafkaBroker:
    """Consumes only; an exception of a handler makes it seek back to the first record of the batch."""
    return KafkaBroker(
        bootstrap.split(","),  # the framework takes a string for one address, commas and all
        client_id=client_id,
        consumer_only=True,
        apply_types=False,
        ack_policy=AckPolicy.NACK_ON_ERROR,
        logger=None,
        graceful_timeout=3.0,
    )


def subscribe(
    broker: KafkaBroker, group: str, topics: Sequence[str], handle: Handle, follow: Follow, instance: str | None
) -> Any:
    """A subscriber of raw batches. `instance` makes the membership static: a restart costs no rebalance."""
    options: dict[str, Any] = {"group_instance_id": f"{group}.{instance}"} if instance else {}
    subscriber = broker.subscriber(
        *topics,
        group_id=group,
        batch=True,
        max_records=_BATCH_MOST,
        batch_timeout_ms=10,
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=10_000,
        heartbeat_interval_ms=2_000,
        listener=_Listener(follow),
        parser=_parse,
        decoder=_raw,
        **options,
    )
    subscriber(handle)
    return subscriber


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, follow: Follow) -> None:
        self._follow = follow

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._follow.rebalancing()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._follow.assigned([Place(*place) for place in assigned])


class _Batch(KafkaAckableMessage):
    """Commits nothing: the offsets that count are stored beside the state, and `Standing.publish` tells lag tools."""

    async def ack(self) -> None:
        await KafkaMessage.ack(self)


async def _parse(records: tuple[Any, ...], original: Any) -> KafkaAckableMessage:
    """Leaves bytes and headers alone: what is wrong with one record must not be raised for the whole batch."""
    return _Batch(
        body=b"",
        headers={},
        raw_message=records,
        message_id=f"{records[0].topic}-{records[0].partition}-{records[0].offset}",
        consumer=original.__self__._consumer,
    )


async def _raw(message: KafkaAckableMessage) -> Any:
    return message.raw_message
