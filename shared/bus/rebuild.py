"""A rebuild: generation n+1 of a read model is filled from the log beside the live one, then swapped in."""

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer

from shared import tasks
from shared.bus import generations
from shared.bus.batch import Received, Subscription
from shared.bus.generations import Tx
from shared.bus.inbox import KEPT_S, inbox_id, inbox_rows
from shared.bus.kafka_metadata import describe
from shared.bus.offsets import Offsets, Place
from shared.bus.topics import retry_topic
from shared.catalogue import Event, Poison, decode
from shared.store.leases import Leases
from shared.store.mongo import Session, Store

log = structlog.get_logger(__name__)

_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did: the generation that serves now, records read, events applied, poison passed over."""

    generation: int
    records: int
    applied: int
    duplicates: int
    poison: int
    seconds: float


class RebuildBusy(Exception):
    """Another rebuild of this group runs."""


class Rebuild:
    """Reads the group's topics from the first record to the end and swaps the result in.

    It publishes nothing and delivers nothing: `apply` only writes the read model. What was never applied because it
    was poison is passed over again (it lies in the dead letters); what a replay healed is read from the retry topics.
    """

    def __init__(self, subscription: Subscription, store: Store, bootstrap: str) -> None:
        if not subscription.rebuildable:
            raise ValueError(f"{subscription.group} has no generations")
        self._subscription = subscription
        self._store = store
        self._bootstrap = bootstrap
        self._topics = [*subscription.topics, *(retry_topic(t, subscription.group) for t in subscription.topics)]
        self._seen: set[bytes] = set()
        self._counts = {"records": 0, "applied": 0, "duplicates": 0, "poison": 0}
        self._writing: asyncio.Task[None] | None = None
        self._generation = 0

    async def run(self, progress: Callable[[int, int], None] = lambda done, total: None) -> RebuildReport:
        """Returns when the new generation serves. `progress(done, total)` counts records. Raises RebuildBusy."""
        started = time.monotonic()
        leases = Leases(self._store, [f"rebuild-{self._subscription.group}"], f"rebuild-{time.time_ns()}")
        holding = asyncio.create_task(leases.run())
        try:
            async with asyncio.timeout(10.0):
                await leases.changed.wait()
        except TimeoutError:
            raise RebuildBusy(self._subscription.group) from None
        else:
            before = await generations.current(self._store, self._subscription.group)
            self._generation = before + 1
            await generations.drop(self._store, self._generation)
            with _no_look_at_what_stays():
                await self._fill(progress)
            await self._retire(before)
        finally:
            await tasks.end([holding, self._writing])
        return RebuildReport(self._generation, **self._counts, seconds=time.monotonic() - started)

    async def _fill(self, progress: Callable[[int, int], None]) -> None:
        cluster, places = await describe(self._bootstrap, self._topics)
        async with AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            enable_auto_commit=False,
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            auto_offset_reset="earliest",
        ) as consumer:
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            positions = await self._read_to_end(consumer, progress)
        await self._written()
        await self._swap(cluster, positions)

    async def _read_to_end(self, consumer: Any, progress: Callable[[int, int], None]) -> dict[Place, int]:
        places = list(consumer.assignment())
        positions = {place: await consumer.position(place) for place in places}
        ends = await consumer.end_offsets(places)
        while any(positions[place] < ends[place] for place in places):
            fetched = await consumer.getmany(timeout_ms=200, max_records=_CHUNK)
            records = [record for found in fetched.values() for record in found]
            if records:
                await self._apply(records)
            positions = {place: await consumer.position(place) for place in places}
            progress(self._counts["records"], sum(ends.values()))
        return {Place(*place): position for place, position in positions.items()}

    async def _apply(self, records: Sequence[Any]) -> None:
        """Writes these while the next ones are fetched and decoded; one chunk is written after the other."""
        self._counts["records"] += len(records)
        fresh = self._fresh(records)
        self._counts["applied"] += len(fresh)
        await self._written()
        if fresh:
            self._writing = asyncio.create_task(self._write(fresh), name="rebuild writes")

    def _fresh(self, records: Sequence[Any]) -> list[Received]:
        fresh = []
        for record in records:
            try:
                event = decode(record.topic, record.key, record.value, record.headers, wanted=self._subscription.wanted)
            except Poison:
                self._counts["poison"] += 1
                continue
            if not isinstance(event, Event):
                continue
            identity = inbox_id(event.envelope)
            if identity in self._seen:
                self._counts["duplicates"] += 1
                continue
            self._seen.add(identity)
            fresh.append(Received(event, record.topic, record.partition, record.offset, record.timestamp))
        return fresh

    async def _write(self, fresh: Sequence[Received]) -> None:
        look = self._subscription.look
        looked = await self._store.together(None, partial(look, fresh)) if look is not None else None
        tx = Tx(None, self._store, self._generation, looked)
        await asyncio.gather(self._insert_inbox(fresh), self._subscription.apply(fresh, tx))
        for step in tx.last:
            await self._store.together(None, step)

    async def _insert_inbox(self, fresh: Sequence[Received]) -> None:
        """Ids of the last 30 days; nobody reads this inbox before the swap."""
        since_ms = (time.time() - KEPT_S) * 1000
        ids = [inbox_id(one.event.envelope) for one in fresh if one.timestamp_ms >= since_ms]
        if ids:
            inbox = self._store.collection(self._subscription.inbox(self._generation))
            await inbox.insert_many(inbox_rows(ids), ordered=False)

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing
            self._writing = None

    async def _swap(self, cluster: str, positions: dict[Place, int]) -> None:
        offsets = Offsets(self._store, self._subscription.group, cluster)
        await self._store.ensure_expiry(self._subscription.inbox(self._generation), "at", KEPT_S)

        async def work(session: Session) -> None:
            await offsets.put(self._generation, positions, session)
            await generations.swap(self._store, self._subscription.group, self._generation, session)

        await self._store.transaction(work)

    async def _retire(self, before: int) -> None:
        """The generation before the last goes; the last stays for readers and batches that still hold it."""
        if before > 1:
            await generations.drop(self._store, before - 1)


@contextmanager
def _no_look_at_what_stays() -> Iterator[None]:
    """Keeps the garbage collector from what lived before: a million short-lived events make it look again and again."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
