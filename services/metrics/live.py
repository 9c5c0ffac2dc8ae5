"""The newest board in this process's memory: one change stream, however many readers wait for the next revision."""

import asyncio
import contextlib
import time

import structlog

from services.metrics.domain.board import Board
from services.metrics.store.board import STATE, Boards
from shared.store.bell import Bell
from shared.store.mongo import Store, StoreError
from shared.telemetry.metrics import LEDGER_REVISION

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S = 10.0
_ANY_CHANGE = ({"$project": {"_id": 1}},)


class LiveBoard:
    """Follows the stored board. A ring of the bell means: look; so nothing depends on a stream that never breaks."""

    name = "live-board"

    def __init__(self, store: Store) -> None:
        self._boards = Boards(store)
        self._bell = Bell(store, STATE, _ANY_CHANGE)
        self._turn = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.board = Board()

    async def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._bell.run(), name="board-bell"),
            asyncio.create_task(self._follow(), name="board-follow"),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def at_least(self, revision: int) -> Board:
        """A board of `revision` or newer, or the newest there is."""
        return self.board if self.board.revision >= max(revision, 1) else await self._boards.read()

    async def newest_revision(self) -> int:
        """The newest revision that is stored, known here already or not."""
        return await self._boards.revision()

    async def newer(self, revision: int, timeout_s: float) -> Board | None:
        """Waits for a board newer than `revision`; None after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.board.revision <= revision:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._turn.wait()
        return self.board

    async def _follow(self) -> None:
        while True:
            try:
                board = await self._boards.read()
            except StoreError as error:
                log.info("board_unread", error=type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            if board.revision != self.board.revision:
                self.board = board
                LEDGER_REVISION.set(board.revision)
                self._wake_readers()
            await self._bell.wait(_LOOK_AGAIN_S)

    def _wake_readers(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()
