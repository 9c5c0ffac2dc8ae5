"""A consumer group's member in this process: connects, applies, waits, stops on a tripped breaker, reports itself."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from shared import tasks
from shared.bus import breaker, generations
from shared.bus.batch import Batches, Subscription, Tripped
from shared.bus.breaker import Breaker
from shared.bus.deadletters import MAX_BYTES, DeadLetterBox
from shared.bus.framework import make_broker, subscribe
from shared.bus.inbox import KEPT_S
from shared.bus.kafka_metadata import describe
from shared.bus.offsets import Fenced, Offsets, Place
from shared.bus.producer import Producer
from shared.bus.reader import reading
from shared.bus.standing import Standing
from shared.bus.topics import retry_topic
from shared.store.mongo import Store, StoreError, is_infrastructure
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

_STALLED_S = 120.0
# The first event after a pause is applied at once; in a rush, transactions begin `apart_s` apart and take more each.
_RUSH, _FULL = 10, 250


class Consumer:
    """Runs one subscription in this process, with every replica in the same group.

    The truth is the offset stored beside the state: on assignment it seeks there, whatever Kafka has forgotten.
    Errors of the infrastructure make the partition wait; poison goes to the dead letters; a tripped breaker stops the
    consumer until `kairan dlt resume`.
    """

    def __init__(self, subscription: Subscription, store: Store, bootstrap: str, *, kind: str, instance: str) -> None:
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
        self._standing: Standing | None = None
        self._batches: Batches | None = None
        self._task: asyncio.Task[None] | None = None
        self._lags: dict[Place, int] = {}
        self._progress_at = time.monotonic()
        self._waiting = False
        self._halt = asyncio.Event()
        self._topics = [*subscription.topics, *(retry_topic(topic, self._group) for topic in subscription.topics)]
        self.state = "starting"
        self.reason = ""
        self.assigned_since_start = False

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])
        await self._producer.stop()

    def report(self) -> dict[str, Any]:
        """For /health/stream: assigned or standby, caught up or progressing, stopped and why."""
        lag = sum(self._lags.values())
        partitions = len(self._standing.assignment()) if self._standing else 0
        return {
            "state": self._described(partitions, lag),
            "assigned_since_start": self.assigned_since_start,
            "partitions": partitions,
            "lag": lag,
            "generation": self._standing.generation if self._standing else None,
            "reason": self.reason,
        }

    def _described(self, partitions: int, lag: int) -> str:
        if self.state != "running":
            return self.state
        if not partitions:
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
        self._standing = standing = await self._prepare()
        broker = make_broker(self._bootstrap, self._instance)
        subscriber = subscribe(
            broker, self._group, self._topics, self._handle, self, self._instance if self._apache else None
        )
        standing.subscriber = subscriber
        self._halt.clear()
        try:
            await broker.start()
            self.state, self.reason = "running", ""
            await self._watch(subscriber, standing)
        finally:
            await standing.publish()
            await broker.stop()

    async def _prepare(self) -> Standing:
        """Where the group starts is fixed before the first record is read."""
        cluster, starts = await _starts(self._bootstrap, self._topics, self.subscription.start)
        offsets = Offsets(self._store, self._group, cluster)
        generation = await self._generation()
        await offsets.begin(generation, starts)
        await self._store.ensure_expiry(self.subscription.inbox(generation), "at", KEPT_S)
        self._breaker.reset()
        standing = Standing(offsets, generation)
        dead_letters = DeadLetterBox(self._producer, self._group)
        self._batches = Batches(self.subscription, self._store, offsets, standing, dead_letters, self._breaker)
        return standing

    async def _generation(self) -> int:
        return await generations.current(self._store, self._group) if self.subscription.rebuildable else 1

    async def _watch(self, subscriber: Any, standing: Standing) -> None:
        """Measures until the consumer has to stop; a consume loop that ended by itself is a breakdown."""
        while not self._halt.is_set():
            if all(task.done() for task in subscriber.tasks):
                raise KafkaError("the consume loop ended")
            await self._measure()
            await standing.publish()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._halt.wait()

    def rebalancing(self) -> None:
        """Called by the framework before it joins the group anew."""
        assert self._standing is not None
        self._standing.settled = False

    async def assigned(self, places: Sequence[Place]) -> None:
        """Called by the framework with the partitions that are this process's from now on."""
        assert self._standing is not None
        metrics.CONSUMER_REBALANCES.labels(self._group).inc()
        self._lags.clear()
        await self._standing.assigned(places)
        self.assigned_since_start = True

    async def _handle(self, records: Sequence[Any]) -> None:
        """Called by the framework; whatever it raises makes the framework seek back to the first record."""
        assert self._standing is not None
        assert self._batches is not None
        if self._halt.is_set():  # tripped, and the framework has not heard of it yet
            await self._hold(0.05, 0.1)
            raise Tripped(f"{self._group} is stopped")
        began = time.monotonic()
        try:
            with self._standing.fetching.paused(records) if len(records) <= _RUSH else contextlib.nullcontext():
                generation = await self._generation()
                if generation != self._standing.generation:
                    log.info("generation_swapped", group=self._group, generation=generation)
                    await self._standing.swapped(generation)
                await self._batches.handle(await self._standing.take(records))
            self._waiting = False
            self._progress_at = time.monotonic()
        except Tripped as error:
            await self._trip(str(error))
            raise
        except Fenced as error:
            log.warning("consumer_fenced", group=self._group, error=str(error))
            await self._hold(0.05, 0.3)
            raise
        except Exception as error:
            self._waiting = True
            if not (is_infrastructure(error) or isinstance(error, KafkaError)):
                log.exception("consumer_error", group=self._group)
            await self._hold(0.2, 0.6)
            raise
        if _RUSH < len(records) < _FULL:
            await asyncio.sleep(began + self.subscription.apart_s - time.monotonic())

    async def _hold(self, least_s: float, most_s: float) -> None:
        """What was known of offsets may be void; a moment later they are read anew."""
        assert self._standing is not None
        self._standing.positions.clear()
        await asyncio.sleep(random.uniform(least_s, most_s))

    async def _trip(self, reason: str) -> None:
        log.error("consumer_stopped", group=self._group, reason=reason, remedy="kairan dlt resume")
        await breaker.stop(self._store, self._group, reason)
        self._halt.set()

    async def _measure(self) -> None:
        assert self._standing is not None
        for place, (position, end) in (await self._standing.ends()).items():
            if end < position and self._apache:
                await self._trip(f"{place.topic}-{place.partition} ends at {end}, {position} was applied: made anew?")
            self._lags[place] = max(0, end - position)
            metrics.CONSUMER_LAG.labels(self._group, place.topic, str(place.partition)).set(self._lags[place])
        if not sum(self._lags.values()):
            self._progress_at = time.monotonic()


async def _starts(bootstrap: str, topics: Sequence[str], start: str) -> tuple[str, dict[Place, int]]:
    """The cluster's id, and each partition's first offset for a group that was never here."""
    cluster, places = await describe(bootstrap, topics)
    async with reading(bootstrap) as consumer:
        read = consumer.end_offsets if start == "now" else consumer.beginning_offsets
        return cluster, {Place(*place): offset for place, offset in (await read(places)).items()}
