"""Group commit: commands that wait share one transaction with their events (aggregate, outbox, idempotency, claims)."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from shared import tasks
from shared.bus.command import Command, Outcome, Overloaded
from shared.bus.deciding import IDEMPOTENCY, KEPT, Decisions, Result
from shared.store.mongo import Store, StoreError, is_duplicate, is_infrastructure
from shared.telemetry import metrics, tracing

log = structlog.get_logger(__name__)

_MOST = 200
# In a rush, transactions begin so far apart: more commands share one. A command that comes alone never waits.
_APART_S = 0.02


@dataclass(slots=True)
class _Waiting:
    command: Command
    answer: asyncio.Future[Outcome]


class Commands:
    """Executes the commands of one service; at most 200 that wait at the same moment share a transaction.

    Commands on one aggregate run one after another on each other's result; a refused one is answered alone and
    leaves the batch. A batch that aborts twice is split. `on_commit` is called after a commit that wrote events.
    """

    def __init__(
        self,
        store: Store,
        source: str,
        *,
        outbox_limit: int = 1_000_000,
        on_commit: Callable[[], None] = lambda: None,
        stream_clock: bool = False,
    ) -> None:
        self._store = store
        self._service = source.rsplit("/", 1)[-1]
        self._limit = outbox_limit
        self._on_commit = on_commit
        self._decisions = Decisions(store, source, stream_clock=stream_clock)
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.outbox_depth = 0
        self.name = "commands"

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="commands")

    async def stop(self) -> None:
        if self._task:
            await self._queue.join()
            await tasks.end([self._task])

    def measured(self, depth: int) -> None:
        """Takes the outbox's depth: above the limit, commands are refused until Kafka has caught up."""
        self.outbox_depth = depth

    async def execute(self, command: Command) -> Outcome:
        """Decides and stores; returns when the result is durable. Raises Refused, Overloaded, TooLarge."""
        if self.outbox_depth > self._limit:
            raise Overloaded(f"{self.outbox_depth} events wait for Kafka, the limit is {self._limit}")
        if command.traceparent is None and (traceparent := tracing.current_traceparent()):
            command = replace(command, traceparent=traceparent)
        waiting = _Waiting(command, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.answer

    async def _run(self) -> None:
        await self._prepare()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            began = time.monotonic()
            try:
                await self._commit(batch)
            except asyncio.CancelledError:
                _answer_all(batch, Overloaded("the service is stopping"))
                raise
            except Exception as error:
                _answer_all(batch, error)
            finally:
                for _ in batch:
                    self._queue.task_done()
            if len(batch) > 1:
                await asyncio.sleep(began + _APART_S - time.monotonic())

    async def _prepare(self) -> None:
        """Kept answers expire after 30 days. An index is no reason to wait for a database that is away."""
        try:
            await self._store.ensure_expiry(IDEMPOTENCY, "at", int(KEPT.total_seconds()))
        except StoreError as error:
            log.warning("index_missing", collection=IDEMPOTENCY, error=type(error).__name__)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        try:
            results, wrote = await self._attempt(batch)
        except StoreError as error:
            if len(batch) > 1 and not _is_away(error):
                metrics.COMMAND_BATCH_ABORTS.labels(self._service).inc()
                half = len(batch) // 2
                await self._commit(batch[:half])
                await self._commit(batch[half:])
                return
            log.warning("command_batch_failed", size=len(batch), error=type(error).__name__)
            _answer_all(
                batch, Overloaded("the database did not confirm the command; repeat it with the same Idempotency-Key")
            )
            return
        metrics.COMMAND_BATCH_SIZE.labels(self._service).observe(len(batch))
        metrics.COMMAND_SECONDS.labels(self._service).observe(time.perf_counter() - started)
        if wrote:
            self._on_commit()
        for waiting, result in zip(batch, results, strict=True):
            self._settle(waiting, result)

    async def _attempt(self, batch: Sequence[_Waiting]) -> tuple[list[Result], bool]:
        try:
            return await self._decisions.run([waiting.command for waiting in batch])
        except StoreError as error:
            if not is_duplicate(error):
                raise
        # A twin on another replica wrote the same key or claim first; the second run reads what it wrote.
        return await self._decisions.run([waiting.command for waiting in batch])

    def _settle(self, waiting: _Waiting, result: Result) -> None:
        outcome = "refused" if isinstance(result, Exception) else "replayed" if result.replayed else "done"
        metrics.COMMANDS.labels(self._service, outcome).inc()
        if waiting.answer.done():
            return
        if isinstance(result, Exception):
            waiting.answer.set_exception(result)
        else:
            waiting.answer.set_result(result)


def _answer_all(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _is_away(error: StoreError) -> bool:
    """The server itself is away: splitting the batch would only wait longer."""
    return is_infrastructure(error) and not error.has_error_label("TransientTransactionError")
