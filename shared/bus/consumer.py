"""A consumer group's member: FastStream batches in, state and offsets out; seeks, fences, stops and reports itself."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from shared import tasks
from shared.bus import breaker, generations
from shared.bus.batch import Batches, Subscription, Tripped, by_place
from shared.bus.breaker import Breaker
from shared.bus.deadletters import MAX_BYTES, DeadLetterBox
from shared.bus.kafka_metadata import describe
from shared.bus.offsets import Fenced, Offsets, Place
from shared.bus.producer import Producer
from shared.bus.topics import retry_topic
from shared.store.mongo import Store, StoreError, is_infrastructure
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

_BATCH_MOST = 500
_SESSION_MS = 10_000
_STALLED_S = 120.0


class _Shorter(Exception):
    """Kafka's log ends before the stored offset: the topic was made anew, or lost data."""


class Consumer:
    """Runs one subscription in this process, with every replica in the same group.

    The truth is the offset stored beside the state: on assignment it seeks there, whatever Kafka has forgotten.
    Errors of the infrastructure make the partition wait; poison goes to the dead letters; a tripped breaker stops the
    consumer until `kairan dlt resume`.
    """

    def __init__(
        self, subscription: Subscription, store: Store, bootstrap: str, *, kind: str, service: str, instance: str
    ) -> None:
        self.subscription = subscription
        self.name = f"consumer-{subscription.group}"
        self._group = subscription.group
        self._store = store
        self._bootstrap = bootstrap
        self._apache = kind == "apache"
        self._instance = instance
        self._producer = Producer(
            bootstrap, idempotent=self._apache, client_id=f"{instance}-dlt", max_bytes=MAX_BYTES + 65_536
        )
        self._breaker = Breaker()
        self._batches: Batches | None = None
        self._client: Any = None
        self._offsets: Offsets | None = None
        self._task: asyncio.Task[None] | None = None
        self._sought: dict[Place, int] = {}
        self._lags: dict[Place, int] = {}
        self._progress_at = time.monotonic()
        self._waiting = False
        self.state = "starting"
        self.reason = ""
        self.assigned_since_start = False
        self._halt = asyncio.Event()
        self._topics = [*subscription.topics, *(retry_topic(topic, self._group) for topic in subscription.topics)]

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])
        await self._producer.stop()

    def report(self) -> dict[str, Any]:
        """For /health/stream: assigned or standby, caught up or progressing, stopped and why."""
        lag = sum(self._lags.values())
        return {
            "state": self._described(lag),
            "assigned_since_start": self.assigned_since_start,
            "partitions": len(self._assignment()),
            "lag": lag,
            "generation": self._batches.generation if self._batches else None,
            "reason": self.reason,
        }

    def _described(self, lag: int) -> str:
        if self.state != "running":
            return self.state
        if not self._assignment():
            return "standby" if self.assigned_since_start else "unassigned"
        return "progressing" if lag else "caught_up"

    def alive(self) -> bool:
        """False when records wait, nothing keeps it from them, and none was applied for two minutes."""
        stuck = self.state == "running" and not self._waiting and sum(self._lags.values()) > 0
        return not (stuck and time.monotonic() - self._progress_at > _STALLED_S)

    async def _run(self) -> None:
        pause_s = 0.2
        while True:
            try:
                await self._session()
                pause_s = 0.2
            except asyncio.CancelledError:
                raise
            except (KafkaError, StoreError, OSError) as error:
                self.state, self.reason = "connecting", type(error).__name__
                log.info("consumer_waits", group=self._group, error=type(error).__name__)
                await asyncio.sleep(pause_s)
                pause_s = min(2.0, pause_s * 2)

    async def _session(self) -> None:
        """From the connection to the next stop or breakdown."""
        stored = await breaker.stopped(self._store, self._group)
        metrics.CONSUMER_STOPPED.labels(self._group).set(stored is not None)
        if stored is not None:
            self.state, self.reason = "stopped", stored["reason"]
            await asyncio.sleep(0.5)
            return
        await self._prepare()
        broker = KafkaBroker(
            self._bootstrap,
            client_id=self._instance,
            consumer_only=True,
            apply_types=False,
            ack_policy=AckPolicy.NACK_ON_ERROR,
            logger=None,
            graceful_timeout=3.0,
        )
        subscriber = self._subscribe(broker)
        self._halt.clear()
        try:
            await broker.start()
            self._client = subscriber.consumer
            self.state, self.reason = "running", ""
            await self._watch(subscriber)
        finally:
            self._client = None
            await broker.stop()

    async def _prepare(self) -> None:
        """Where the group starts is fixed before the first record is read."""
        cluster, starts = await _starts(self._bootstrap, self._topics, self.subscription.start)
        self._offsets = Offsets(self._store, self._group, cluster)
        generation = await self._generation()
        await self._offsets.begin(generation, starts)
        await self._store.ensure_expiry(self.subscription.inbox(generation), "at", 30 * 24 * 3600)
        self._breaker.reset()
        self._batches = Batches(
            self.subscription,
            self._store,
            self._offsets,
            DeadLetterBox(self._producer, self._group),
            self._breaker,
        )
        self._batches.generation = generation

    async def _generation(self) -> int:
        return await generations.current(self._store, self._group) if self.subscription.rebuildable else 1

    def _subscribe(self, broker: KafkaBroker) -> Any:
        options: dict[str, Any] = {"group_instance_id": f"{self._group}.{self._instance}"} if self._apache else {}
        subscriber = broker.subscriber(
            *self._topics,
            group_id=self._group,
            batch=True,
            max_records=_BATCH_MOST,
            batch_timeout_ms=20,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 * 1024 * 1024,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=2_000,
            listener=_Listener(self),
            parser=_parse,
            decoder=_raw,
            **options,
        )
        subscriber(self._handle)
        return subscriber

    async def _watch(self, subscriber: Any) -> None:
        """Measures until the consumer has to stop; a consume loop that ended by itself is a breakdown."""
        while not self._halt.is_set():
            if all(task.done() for task in subscriber.tasks):
                raise KafkaError("the consume loop ended")
            await self._measure()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._halt.wait()

    async def _handle(self, records: Sequence[Any]) -> None:
        """Called by the framework; an exception makes it seek back to the first record of the batch."""
        assert self._batches is not None
        try:
            await self._follow_generation()
            await self._batches.handle(await self._take(records))
            self._waiting = False
            self._progress_at = time.monotonic()
        except Tripped as error:
            await self._trip(str(error))
            raise
        except _Shorter as error:
            await self._trip(str(error))
            raise
        except Fenced as error:
            log.warning("consumer_fenced", group=self._group, error=str(error))
            self._batches.positions.clear()
            await asyncio.sleep(random.uniform(0.05, 0.3))
            raise
        except Exception as error:
            if not (is_infrastructure(error) or isinstance(error, KafkaError)):
                log.exception("consumer_error", group=self._group)
            self._waiting = True
            self._batches.positions.clear()
            await asyncio.sleep(random.uniform(0.2, 0.6))
            raise

    async def _trip(self, reason: str) -> None:
        log.error("consumer_stopped", group=self._group, reason=reason, remedy="kairan dlt resume")
        await breaker.stop(self._store, self._group, reason)
        self._halt.set()

    async def _follow_generation(self) -> None:
        """After a swap, goes on where the new generation is, which is at or behind the old one's offsets."""
        assert self._batches is not None
        generation = await self._generation()
        if generation != self._batches.generation:
            log.info("generation_swapped", group=self._group, generation=generation)
            self._batches.generation = generation
            await self.seek_to_stored([Place(*place) for place in self._assignment()])

    async def _take(self, records: Sequence[Any]) -> list[Any]:
        """The records that follow each partition's stored offset; a gap before the first makes it seek back.

        Records that were fetched before a seek are dropped (the position is at or before them: they come again), so a
        gap that is left after seeking is one of the log itself (compaction, transaction marks).
        """
        assert self._batches is not None
        places = {place: found for place, found in by_place(records).items() if await self._follows(place, found[-1])}
        await self._load([place for place in places if place not in self._batches.positions])
        taken: list[Any] = []
        for place, found in places.items():
            position = self._batches.positions.get(place)
            if position is None:
                continue
            if found[0].offset > position and self._sought.get(place) != position:
                self._seek(place, position)
                continue
            taken += [record for record in found if record.offset >= position]
            if found[-1].offset < position:
                self._seek(place, position)
        return taken

    async def _follows(self, place: Place, last: Any) -> bool:
        try:
            return bool(await self._client.position(TopicPartition(*place)) > last.offset)
        except KafkaError:
            return False  # not ours any more

    def _seek(self, place: Place, offset: int) -> None:
        self._sought[place] = offset
        if self._client is not None and TopicPartition(*place) in self._client.assignment():
            self._client.seek(TopicPartition(*place), offset)

    async def _load(self, places: Sequence[Place]) -> None:
        assert self._offsets is not None
        assert self._batches is not None
        if places:
            self._batches.positions |= await self._offsets.load(self._batches.generation, places)

    async def seek_to_stored(self, places: Sequence[Place]) -> None:
        """Makes the stored offsets the positions, in memory and in the client."""
        assert self._batches is not None
        self._batches.positions.clear()
        self._sought.clear()
        await self._load(places)
        for place, offset in self._batches.positions.items():
            self._seek(place, offset)

    async def assigned(self, places: Sequence[Place]) -> None:
        """Called by the rebalance: what this consumer knew of offsets is void."""
        metrics.CONSUMER_REBALANCES.labels(self._group).inc()
        self._lags.clear()
        try:
            await self.seek_to_stored(places)
        except StoreError as error:
            log.info("offsets_unread", group=self._group, error=type(error).__name__)
        self.assigned_since_start = True

    def _assignment(self) -> frozenset[TopicPartition]:
        return self._client.assignment() if self._client is not None else frozenset()

    async def _measure(self) -> None:
        assert self._batches is not None
        assignment = list(self._assignment())
        if not assignment or self._client is None:
            return
        positions = dict(self._batches.positions)  # before the ends: both move on while we ask
        ends = {Place(*place): end for place, end in (await self._client.end_offsets(assignment)).items()}
        for place in ends.keys() & positions.keys():
            end, position = ends[place], positions[place]
            if end < position and self._apache:
                await self._trip(f"{place.topic}-{place.partition} ends at {end}, {position} was applied: made anew?")
            self._lags[place] = max(0, end - position)
            metrics.CONSUMER_LAG.labels(self._group, place.topic, str(place.partition)).set(self._lags[place])
        if not sum(self._lags.values()):
            self._progress_at = time.monotonic()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        return

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._consumer.assigned([Place(*place) for place in assigned])


async def _parse(records: tuple[Any, ...], original: Any) -> KafkaAckableMessage:
    """Leaves bytes and headers alone: what is wrong with one record must not be raised for the whole batch."""
    consumer = original.__self__._consumer
    return KafkaAckableMessage(
        body=b"",
        headers={},
        raw_message=records,
        message_id=f"{records[0].topic}-{records[0].partition}-{records[0].offset}",
        consumer=consumer,
    )


async def _raw(message: KafkaAckableMessage) -> Any:
    return message.raw_message


async def _starts(bootstrap: str, topics: Sequence[str], start: str) -> tuple[str, dict[Place, int]]:
    """The cluster's id, and each partition's first offset for a group that was never here."""
    cluster, places = await describe(bootstrap, topics)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        read = consumer.end_offsets if start == "now" else consumer.beginning_offsets
        return cluster, {Place(*place): offset for place, offset in (await read(places)).items()}
