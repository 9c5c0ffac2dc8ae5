"""Evaluate: one leased, fenced leader turns counts and publications into ledgers, under a rising revision."""

import asyncio
import contextlib
import time

import structlog

from services.metrics.domain.board import Board
from services.metrics.knowledge import Knowledge
from services.metrics.leading import Leading
from services.metrics.store.board import LEASE, Boards
from services.metrics.store.changes import Changes, StreamBroken
from services.metrics.store.read_model import CLOCK, COUNTS, NAMED, PUBLICATIONS, ReadModel
from services.metrics.store.watermark import Watermark
from shared.clock import ClockKind
from shared.store.leases import LeaseLost, Leases
from shared.store.mongo import Store, StoreError
from shared.telemetry.logs import describe

log = structlog.get_logger(__name__)

# The first change after a pause is shown at once; in a rush, boards are at least so far apart.
APART_S = 0.05
_GATHER_S = 0.005
LOOK_AGAIN_S = 1.0
_FOLLOWED = (COUNTS, NAMED, PUBLICATIONS, CLOCK)


class Evaluator:
    """Leads, or stands by. A leader reads all, then follows what changes; the lease fences off a zombie's write."""

    name = "evaluate"

    def __init__(self, store: Store, clock: ClockKind, instance: str, bootstrap: str) -> None:
        self._store = store
        self._clock = clock
        self._bootstrap = bootstrap
        self._boards = Boards(store)
        self._leases = Leases(store, (LEASE,), instance)
        self._tasks: list[asyncio.Task[None]] = []
        self._revision = 0

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._leases.run(), name="evaluate-lease"),
            asyncio.create_task(self._run(), name="evaluate"),
        ]

    async def stop(self) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def alive(self) -> bool:
        """False when one of its tasks has ended."""
        return not any(task.done() for task in self._tasks)

    def report(self) -> dict[str, str | int]:
        """For /health/stream: leader or standby, and the revision written last."""
        return {"role": "leader" if LEASE in self._leases.held() else "standby", "revision": self._revision}

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._leases.changed.wait()
            self._leases.changed.clear()
            while LEASE in self._leases.held():
                try:
                    await self._lead()
                except LeaseLost:
                    log.info("evaluate_lost_lease")
                except (StoreError, StreamBroken) as error:
                    log.info("evaluate_starts_over", error=type(error).__name__)
                    await asyncio.sleep(0.3)
                except Exception as error:
                    log.error("evaluate_failed", **describe(error))
                    await asyncio.sleep(5.0)

    async def _lead(self) -> None:
        """Leads for as long as lease and generation last."""
        model = await ReadModel.serving(self._store)
        knowledge = Knowledge(model, self._clock)
        async with Changes(self._store, {name: model.name(name) for name in _FOLLOWED}) as changes:
            await knowledge.read()
            watermark = Watermark(self._store, self._bootstrap, model.generation)
            try:
                leading = await Leading.begin(self._store, knowledge, watermark, self._clock)
                await self._follow(model, knowledge, leading, changes)
            finally:
                await watermark.close()

    async def _follow(self, model: ReadModel, knowledge: Knowledge, leading: Leading, changes: Changes) -> None:
        written = await self._boards.read()
        log.info("evaluate_leads", generation=model.generation, revision=written.revision)
        while LEASE in self._leases.held():
            made_at = time.monotonic()
            made = await leading.make(written)
            if made.worth_writing or _differ(made.board, written):
                written = await self._boards.write(
                    made.board, written, self._leases, entrances=made.entrances, gone=made.gone, also=made.also
                )
                self._revision = written.revision
            if (await ReadModel.serving(self._store)).generation != model.generation:
                return
            await _until_something_changes(changes, knowledge, leading, made_at)
            await knowledge.read_again(changes)


async def _until_something_changes(changes: Changes, knowledge: Knowledge, leading: Leading, made_at: float) -> None:
    changed = await changes.wait(leading.patience_s(LOOK_AGAIN_S))
    if changed or leading.patience_s(LOOK_AGAIN_S) < LOOK_AGAIN_S:
        apart_s = made_at + APART_S - time.monotonic()
        await asyncio.sleep(max(_GATHER_S, apart_s, knowledge.resting_s))


def _differ(board: Board, written: Board) -> bool:
    """Whether readers would see a difference; that time has passed alone is none."""
    alike = {"revision": 0, "now": None}
    return board.model_copy(update=alike) != written.model_copy(update=alike)
