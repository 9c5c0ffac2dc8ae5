"""Consume-to-projection as the services do it: a `Consumer` with inbox, fenced offsets, dead letters and breaker."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import uvloop

from benchmarks.child import tell, told
from benchmarks.processes.counters import COLLECTION, Watch, increments
from shared.bus.batch import Received, Subscription
from shared.bus.consumer import Consumer
from shared.bus.generations import Tx
from shared.store.mongo import Session, Store
from shared.telemetry import logs

T = TypeVar("T")


async def apply(batch: Sequence[Received], tx: Tx) -> None:
    writes = increments((one.event.envelope.time, one.partition) for one in batch)
    await tx.collection(COLLECTION).bulk_write(writes, ordered=False, session=tx.session)


class TimedStore(Store):
    """Says when transactions begin and end; `done` is set when `count` events have been applied."""

    def __init__(self, uri: str, database: str, count: int) -> None:
        super().__init__(uri, database, app_name="bench-ours")
        self.times, self.done = Watch(), asyncio.Event()
        self._left = count

    async def transaction(self, work: Callable[[Session], Awaitable[T]], **options: Any) -> T:
        self.times.begins()
        applied = await super().transaction(work, **options)
        self.times.ended()
        self._left -= applied if isinstance(applied, int) else 0  # a batch says how many events were fresh
        if self._left <= 0:
            self.done.set()
        return applied


async def _main(spec: dict[str, Any]) -> dict[str, Any]:
    store = TimedStore(spec["mongo"], spec["database"], spec["count"])
    subscription = Subscription(
        spec["group"], (spec["topic"],), frozenset({"member-joined"}), apply, rebuildable=spec["rebuildable"]
    )
    consumer = Consumer(subscription, store, spec["bootstrap"], kind="apache", instance="bench-ours")
    await consumer.start()
    await store.done.wait()
    answer = store.times.answer()
    await consumer.stop()
    await store.close()
    return answer


if __name__ == "__main__":
    logs.configure("bench", "bench-ours", "error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell(runner.run(_main(told())))
