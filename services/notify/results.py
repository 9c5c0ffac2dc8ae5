"""Writes down what became of attempts, many at a time; until it is written, an attempt counts as in hand."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from services.notify.attempt import Written
from services.notify.breaker import Health
from services.notify.delivery import Settled
from services.notify.store import NotifyStore
from shared import tasks

log = structlog.get_logger(__name__)

_MOST: Final = 500
_QUEUED_MOST: Final = 2_000
_GATHER_S: Final = 0.02
_PAUSE_S: Final = 0.5
_DRAIN_S: Final = 1.0


@dataclass(frozen=True)
class Result:
    """`health` is the endpoint's after this attempt, if it changed; `written` is called once the result is durable."""

    settled: Settled
    health: Health | None
    written: Written


class Results:
    """A queue to one writer. While the database is away it keeps what it has and `add` makes the lanes wait."""

    name = "results"

    def __init__(self, store: NotifyStore) -> None:
        self._store = store
        self._queue: asyncio.Queue[Result] = asyncio.Queue(_QUEUED_MOST)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])

    async def drain(self) -> None:
        """Returns when all is written, or when the database does not take it within a second."""
        try:
            async with asyncio.timeout(_DRAIN_S):
                await self._queue.join()
        except TimeoutError:
            log.warning("results_unwritten", count=self._queue.qsize())

    async def add(self, result: Result) -> None:
        await self._queue.put(result)

    async def _run(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await asyncio.sleep(_GATHER_S)
            while len(batch) < _MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._write(batch)
            for result in batch:
                result.written(result.settled)
                self._queue.task_done()

    async def _write(self, batch: list[Result]) -> None:
        settled = [result.settled for result in batch]
        healths = {result.settled.delivery.endpoint_id: result.health for result in batch if result.health is not None}
        while True:
            try:
                await self._store.settle(settled, healths)
                return
            except Exception as error:
                # To go on without it would send the same deliveries again and again.
                log.warning("results_wait", count=len(batch), error=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
