"""Evaluate: one leased, fenced leader turns counts and publications into the board, under a rising revision."""

import asyncio
import contextlib
import time

import structlog

from services.metrics.domain.board import Board
from services.metrics.domain.counts import hour_of
from services.metrics.domain.evaluation import Hours, Judged, Now, assemble, judge
from services.metrics.domain.publications import Publication
from services.metrics.store.board import LEASE, Boards
from services.metrics.store.changes import Changes, StreamBroken
from services.metrics.store.read_model import CLOCK, COUNTS, PUBLICATIONS, CountRow, ReadModel, StreamTime
from shared.clock import ClockKind, wall_now
from shared.store.leases import LeaseLost, Leases
from shared.store.mongo import Store, StoreError
from shared.telemetry.logs import describe
from shared.telemetry.metrics import EVALUATE_SECONDS

log = structlog.get_logger(__name__)

# The first change after a pause is shown at once; in a rush, boards are at least so far apart.
APART_S = 0.05
_GATHER_S = 0.005
LOOK_AGAIN_S = 1.0
# A ledger may take at most a sixth of a core: after one that took long, the next one waits, at most so long.
_REST_FACTOR, _REST_MOST_S = 5, 2.0


class Knowledge:
    """What the leader holds in memory of one generation; only what has changed is read again."""

    def __init__(self, model: ReadModel, clock: ClockKind) -> None:
        self._model = model
        self._clock = clock
        self._publications: dict[str, Publication] = {}
        self._time = StreamTime()
        self._heard = False
        self._rest_until = 0.0
        self.hours = Hours()
        self.judged = Judged()

    async def read(self) -> None:
        """Reads everything."""
        self._put_counts(await self._model.counts())
        self._put_publications(await self._model.publications())
        self._time = await self._model.stream_time()

    async def read_again(self, changes: Changes) -> None:
        """Reads what has changed."""
        counts, publications = changes.take(COUNTS), changes.take(PUBLICATIONS)
        if counts:
            self._put_counts(await self._model.counts(counts))
        if publications:
            self._put_publications(await self._model.publications(publications))
        if changes.take(CLOCK):
            self._time = await self._model.stream_time()

    @property
    def resting_s(self) -> float:
        """How long the next ledger still has to wait."""
        return max(0.0, self._rest_until - time.monotonic())

    def now(self) -> Now:
        """The community's now."""
        return Now(wall_now() if self._clock == "wall" else self._time.until)

    async def board(self) -> Board:
        """Everything that readers see; the ledger is made anew only when something before its as-of has changed."""
        now = self.now()
        changed = now.as_of is not None and self.hours.take_change_before(hour_of(now.as_of))
        if changed or self._heard or now.as_of != self.judged.as_of:
            self._heard = False
            started = time.monotonic()
            self.judged = await asyncio.to_thread(judge, self.hours, self._publications, now.as_of, self._time.since)
            took = time.monotonic() - started
            self._rest_until = time.monotonic() + min(took * _REST_FACTOR, _REST_MOST_S)
            EVALUATE_SECONDS.observe(took)
        return assemble(self.hours, self.judged, now)

    def _put_counts(self, rows: list[CountRow]) -> None:
        for row in rows:
            self.hours.put(*row)

    def _put_publications(self, found: dict[str, Publication | None]) -> None:
        for publication_id, publication in found.items():
            if self._publications.get(publication_id) == publication:
                continue
            self._heard = True
            if publication is None:
                del self._publications[publication_id]
            else:
                self._publications[publication_id] = publication


class Evaluator:
    """Leads, or stands by. A leader reads all, then follows what changes; the lease fences off a zombie's write."""

    name = "evaluate"

    def __init__(self, store: Store, clock: ClockKind, instance: str) -> None:
        self._store = store
        self._clock = clock
        self._boards = Boards(store)
        self._leases = Leases(store, (LEASE,), instance)
        self._tasks: list[asyncio.Task[None]] = []
        self._revision = 0
        self._made_at = 0.0

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
        async with Changes(self._store, {name: model.name(name) for name in (COUNTS, PUBLICATIONS, CLOCK)}) as changes:
            await knowledge.read()
            written = await self._boards.read()
            log.info("evaluate_leads", generation=model.generation, revision=written.revision)
            while LEASE in self._leases.held():
                self._made_at = time.monotonic()
                board = await knowledge.board()
                if _differ(board, written):
                    written = await self._boards.write(board, written, self._leases)
                    self._revision = written.revision
                if (await ReadModel.serving(self._store)).generation != model.generation:
                    return
                await self._until_something_changes(changes, knowledge)
                await knowledge.read_again(changes)

    async def _until_something_changes(self, changes: Changes, knowledge: Knowledge) -> None:
        if await changes.wait(LOOK_AGAIN_S):
            apart_s = self._made_at + APART_S - time.monotonic()
            await asyncio.sleep(max(_GATHER_S, apart_s, knowledge.resting_s))


def _differ(board: Board, written: Board) -> bool:
    """Whether readers would see a difference; that time has passed alone is none."""
    alike = {"revision": 0, "now": None}
    return board.model_copy(update=alike) != written.model_copy(update=alike)
