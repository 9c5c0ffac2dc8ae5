"""The relay: moves a service's outbox to Kafka, in order per aggregate, and deletes what Kafka has acknowledged."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from aiokafka.errors import KafkaError

from shared import tasks
from shared.bus import outbox
from shared.bus.producer import Producer
from shared.store.bell import Bell
from shared.store.leases import Leases
from shared.store.mongo import Document, Store, StoreError
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

_PAGE = 1_000
_BACKOFF_MOST_S = 2.0
# The first event after a pause is published at once; in a rush, sweeps begin so far apart and take more each.
_APART_S, _RUSH = 0.05, 10


class Relay:
    """One leased leader for each of 8 shards publishes that shard; every replica of a service runs a Relay.

    The outbox documents are the truth: a ring of the bell (a change stream, opened before each sweep), of the group
    commit in this process, or a second that passed makes the relay sweep in pages until the outbox is empty (ADR 0003).
    A relay that lost its lease can only repeat what it read, under the same event ids.
    """

    name = "relay"

    def __init__(self, store: Store, producer: Producer, service: str, instance: str, *, listens: bool = True) -> None:
        """`listens`: whether another replica's commands are heard of at once, for a look at every write of the database
        (its change stream reads them all); if not, within a second."""
        self._store = store
        self._producer = producer
        self._service = service
        self._listens = listens
        self._bell = Bell(store, outbox.COLLECTION)
        self._leases = Leases(store, [f"relay-{n}" for n in range(outbox.SHARDS)], instance, on_change=self.ring)
        self._tasks: list[asyncio.Task[None]] = []
        self._failures = 0
        self.depth = 0
        self.oldest_age_s = 0.0
        self.on_depth: Callable[[int], None] = lambda depth: None

    def ring(self) -> None:
        """Says that the outbox has something new."""
        self._bell.ring()

    def report(self) -> dict[str, Any]:
        """For /health/stream: the shards led here and what waits."""
        return {
            "leads": sorted(self._leases.held()),
            "waiting": self.depth,
            "oldest_age_s": round(self.oldest_age_s, 3),
            "publishing": self._failures == 0,
        }

    async def start(self) -> None:
        listening = [self._bell.run()] if self._listens else []
        for coroutine in (self._leases.run(), *listening, self._run(), self._measure()):
            self._tasks.append(asyncio.create_task(coroutine, name="relay"))

    async def stop(self) -> None:
        await tasks.end(self._tasks)
        await self._producer.stop()

    async def _run(self) -> None:
        while True:
            began, published = time.monotonic(), _PAGE
            try:
                while published == _PAGE:
                    published = await self._sweep()
                self._failures = 0
            except (KafkaError, StoreError, OSError) as error:
                await self._recover(error)
            await self._bell.wait(1.0)
            if published > _RUSH:
                await asyncio.sleep(began + _APART_S - time.monotonic())

    async def _recover(self, error: Exception) -> None:
        self._failures += 1
        metrics.RELAY_ERRORS.labels(self._service).inc()
        log.warning("relay_waits", service=self._service, error=type(error).__name__, failures=self._failures)
        await self._producer.reset()
        await asyncio.sleep(min(_BACKOFF_MOST_S, 0.1 * 2 ** min(self._failures, 6)))

    async def _sweep(self) -> int:
        """Publishes one page; how many documents it had."""
        held = self._held_shards()
        page = await self._page(held) if held else []
        if not page:
            return 0
        started = time.perf_counter()
        await self._publish(page)
        await self._store.collection(outbox.COLLECTION).delete_many({"_id": {"$in": [doc["_id"] for doc in page]}})
        metrics.RELAY_PUBLISHED.labels(self._service).inc(len(page))
        metrics.RELAY_PUBLISH_SECONDS.labels(self._service).observe(time.perf_counter() - started)
        return len(page)

    def _held_shards(self) -> list[int]:
        held = sorted(int(name.rsplit("-", 1)[1]) for name in self._leases.held())
        for shard in range(outbox.SHARDS):
            metrics.RELAY_LEADER.labels(self._service, str(shard)).set(shard in held)
        return held

    async def _page(self, shards: Sequence[int]) -> list[Document]:
        """The next documents in order per aggregate, read at one majority-committed moment.

        One moment, because a scan over several could pass the place of version n before it is committed and still
        see version n + 1.
        """
        where: Document = {} if len(shards) == outbox.SHARDS else {"$or": [outbox.shard_range(n) for n in shards]}
        async with self._store.snapshot() as session:
            page: list[Document] = await (
                self._store.collection(outbox.COLLECTION)
                .find(where, session=session)
                .sort("_id", 1)
                .limit(_PAGE)
                .to_list(None)
            )
        return page

    async def _publish(self, page: Sequence[Document]) -> None:
        client = await self._producer.client()
        sent = [
            await client.send(
                doc["topic"],
                value=doc["value"],
                key=doc["key"],
                headers=[(name, bytes(value)) for name, value in doc["headers"]],
                timestamp_ms=doc["stamp"],
            )
            for doc in page
        ]
        results = await asyncio.gather(*sent, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _measure(self) -> None:
        while True:
            try:
                collection = self._store.collection(outbox.COLLECTION)
                self.depth = await collection.estimated_document_count()
                oldest = await collection.find_one({}, sort=[("$natural", 1)], projection={"stamp": 1})
                self.oldest_age_s = max(0.0, time.time() - oldest["stamp"] / 1000) if oldest else 0.0
                metrics.OUTBOX_DEPTH.labels(self._service).set(self.depth)
                metrics.OUTBOX_OLDEST_AGE_SECONDS.labels(self._service).set(self.oldest_age_s)
                self.on_depth(self.depth)
            except StoreError as error:
                log.info("outbox_unmeasured", service=self._service, error=type(error).__name__)
            await asyncio.sleep(1.0)
