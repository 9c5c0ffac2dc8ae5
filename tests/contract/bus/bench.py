"""A small service on the bus for the contract tests: members that join, and groups that collect what they hear."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.bus import topics
from shared.bus.batch import Received, Subscription
from shared.bus.command import Command, Decision, IdempotencyKey, NewEvent, Outcome, Refused
from shared.bus.consumer import Consumer
from shared.bus.generations import Tx
from shared.bus.write_side import WriteSide
from shared.catalogue import MemberJoined, MemberLeft
from shared.settings import ServiceSettings
from shared.store.mongo import Store, UpdateOne

NAMES = frozenset({"member-joined", "member-left"})


async def until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 90.0) -> None:
    """Waits for a condition; fails naming it."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        await asyncio.sleep(0.05)


def joined(**fields: Any) -> MemberJoined:
    return MemberJoined.model_validate({"source": "search", "reason": "curiosity", "joined_precision": "hour"} | fields)


def join(member: str | None = None, key: str | None = None, request: str = "r") -> Command:
    """A member joins; refused when it is there already."""
    identity = member or str(uuid.uuid4())

    def decide(state: dict[str, Any] | None) -> Decision:
        if state is not None:
            raise Refused(409, "already-there", "Already a member", "This member joined before.")
        event = NewEvent(joined(), datetime.now(UTC), identity)
        return Decision({"active": True}, (event,), 201)

    idempotency = IdempotencyKey("tester", key, request) if key else None
    return Command("members", identity, decide, key=idempotency)


def leave(member: str) -> Command:
    def decide(state: dict[str, Any] | None) -> Decision:
        if state is None:
            raise Refused(404, "no-member", "No such member", "Nobody has this id.")
        return Decision({"active": False}, (NewEvent(MemberLeft(reason_code="self"), datetime.now(UTC), member),))

    return Command("members", member, decide)


async def collect(batch: Sequence[Received], tx: Tx) -> None:
    """Counts every application of every event, and each member's versions in the order in which they came."""
    await tx.collection("seen").bulk_write(
        [
            UpdateOne({"_id": one.event.envelope.id}, {"$inc": {"times": 1}, "$set": _row(one)}, upsert=True)
            for one in batch
        ],
        session=tx.session,
    )
    await tx.collection("stories").bulk_write(
        [
            UpdateOne(
                {"_id": one.event.envelope.subject},
                {"$push": {"versions": one.event.envelope.aggregate_version}},
                upsert=True,
            )
            for one in batch
        ],
        session=tx.session,
    )


def _row(one: Received) -> dict[str, Any]:
    return {"subject": one.event.envelope.subject, "version": one.event.envelope.aggregate_version}


class Bus:
    """One service's write side and any number of consumer groups on one broker and one database."""

    def __init__(self, bootstrap: str, kind: str, store: Store) -> None:
        self.bootstrap = bootstrap
        self.kind = kind
        self.store = store
        self._consumers: list[Consumer] = []
        self.write_side = self._write_side("tester-1")

    def _write_side(self, instance: str) -> WriteSide:
        settings = ServiceSettings.model_validate(
            {"kafka": self.bootstrap, "kafka_kind": self.kind, "instance": instance, "mongo": "unused"}
        )
        return WriteSide(self.store, settings, "membership")

    async def start(self) -> None:
        await self.write_side.start()

    async def stop(self) -> None:
        for consumer in self._consumers:
            await consumer.stop()
        await self.write_side.stop()

    async def execute(self, command: Command) -> Outcome:
        return await self.write_side.commands.execute(command)

    async def drained(self) -> None:
        async def empty() -> bool:
            return await self.store.collection("outbox").count_documents({}) == 0

        await until(empty, "the outbox is empty")

    def subscription(self, group: str, apply: Any = collect, **options: Any) -> Subscription:
        options = {"rebuildable": True, "start": "now"} | options
        return Subscription(group, ("kairan.member",), NAMES, apply, **options)

    async def hear(self, subscription: Subscription, instance: str = "tester-1") -> Consumer:
        """Starts a consumer (its retry and dead-letter topics first) and waits until it has partitions."""
        group = subscription.group
        own = [
            topics.Topic(name(topic, group), partitions=1, max_bytes=8 * 1024 * 1024)
            for topic in subscription.topics
            for name in (topics.retry_topic, topics.dead_letter_topic)
        ]
        await topics.apply(self.bootstrap, topics=own)
        consumer = await self.start_consumer(subscription, instance)

        async def assigned() -> bool:
            return consumer.report()["state"] in ("caught_up", "progressing", "standby")

        await until(assigned, f"{group} has partitions")
        return consumer

    async def published(self, group: str) -> None:
        """Waits until Kafka's own note of the group's offsets says that it is at the end."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap) as consumer:

                async def at_the_end() -> bool:
                    noted = await admin.list_consumer_group_offsets(group)
                    ends = await consumer.end_offsets(list(noted))
                    return bool(noted) and all(noted[place].offset == ends[place] for place in noted)

                await until(at_the_end, f"Kafka knows that {group} is at the end")
        finally:
            await admin.close()

    async def start_consumer(self, subscription: Subscription, instance: str = "tester-1") -> Consumer:
        consumer = Consumer(subscription, self.store, self.bootstrap, kind=self.kind, instance=instance)
        await consumer.start()
        self._consumers.append(consumer)
        return consumer

    async def forget(self, consumer: Consumer) -> None:
        await consumer.stop()
        self._consumers.remove(consumer)

    async def seen(self, generation: int = 1) -> dict[str, int]:
        """Event id -> how often it was applied."""
        return {row["_id"]: row["times"] async for row in self.store.collection(f"seen.g{generation}").find()}

    async def stories(self, generation: int = 1) -> dict[str, list[int]]:
        return {row["_id"]: row["versions"] async for row in self.store.collection(f"stories.g{generation}").find()}

    async def heard(self, members: Sequence[str], generation: int = 1) -> None:
        """Waits until an event of each of `members` was applied."""

        async def all_there() -> bool:
            return set(members) <= set(await self.stories(generation))

        await until(all_there, f"{len(members)} members were heard of")

    async def records(self, topic: str) -> list[Any]:
        """Everything on a topic."""
        async with AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
        ) as consumer:
            return await _read_all(consumer, topic)


async def _read_all(consumer: AIOKafkaConsumer, topic: str) -> list[Any]:
    await consumer._client._wait_on_metadata(topic)
    places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    starts = await consumer.beginning_offsets(places)
    for place, offset in starts.items():
        consumer.seek(place, offset)
    found: list[Any] = []
    positions = dict(starts)
    while any(positions[place] < ends[place] for place in places):
        for records in (await consumer.getmany(timeout_ms=500)).values():
            found += records
        positions = {place: await consumer.position(place) for place in places}
    return found
