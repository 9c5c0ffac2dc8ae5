"""The worker of replays: gives deliveries out again, a few at a time, so that live ones are never far behind."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection
from typing import Any, Final

import structlog

from services.notify.endpoint import Endpoints
from services.notify.history import CHUNK, Found, Offsets, Records, Stretch
from services.notify.planning import Planned, unique
from services.notify.replay_store import RECEIVING, MovedOn, ReplayStore
from services.notify.selection import History, read
from shared import tasks
from shared.clock import wall_ms
from shared.store.mongo import Document

log = structlog.get_logger(__name__)

_LOOK_S: Final = 1.0
_STEP_S: Final = 0.2
_STEP_MOST_S: Final = 2.0
_AT_ONCE: Final = 500


class Replayer:
    """Works the oldest replay of each endpoint whose shard this process leads (`leads`), and tells its lane (`wake`).

    At most `per_s` deliveries a second and endpoint are let wait again, and none while as many are due there: a live
    delivery stands behind at most a second's worth of old ones.
    """

    name = "replays"

    def __init__(
        self,
        store: ReplayStore,
        records: Records,
        endpoints: Endpoints,
        per_s: int,
        *,
        leads: Callable[[int], bool],
        wake: Callable[[str], None],
    ) -> None:
        self._store = store
        self._records = records
        self._endpoints = endpoints
        self._leads = leads
        self._wake = wake
        self._per_s = per_s
        self._paid: dict[str, float] = {}
        self._reading: dict[str, AsyncGenerator[Found, None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])
        await self._close_others(())

    async def _run(self) -> None:
        prepared = False
        while True:
            busy = False
            try:
                if not prepared:
                    await self._store.prepare()
                    prepared = True
                busy = await self._look()
            except Exception as error:
                # Also what nobody foresaw: the place of a replay is stored, so the next look goes on there.
                log.warning("replays_wait", error=type(error).__name__)
            await asyncio.sleep(_STEP_S if busy else _LOOK_S)

    async def _look(self) -> bool:
        running = [one for one in await self._store.running() if self._leads(int(one["shard"]))]
        first = {one["endpoint"]: one for one in reversed(running)}
        self._paid = {one["_id"]: self._paid.get(one["_id"], time.monotonic() - _LOOK_S) for one in first.values()}
        await self._close_others(self._paid)
        await asyncio.gather(*(self._step(one) for one in first.values()))
        return bool(first)

    async def _step(self, replay: Document) -> None:
        endpoint = await self._store.endpoint(replay["endpoint"])
        if endpoint is None or endpoint["state"] not in RECEIVING:
            await self._store.end(replay["_id"], "stopped", f"endpoint-{endpoint['state'] if endpoint else 'deleted'}")
            return
        allowed = await self._allowed(replay)
        if not allowed:
            return
        try:
            selection = read(replay["selection"])
            if isinstance(selection, History):
                await self._step_history(replay, endpoint, selection, allowed)
            elif sent := await self._store.send_again(replay, allowed, wall_ms()):
                self._pay(replay, sent)
            else:
                await self._store.end(replay["_id"], "done")
            self._wake(replay["endpoint"])
        except MovedOn:
            log.info("replay_moved_on", replay=replay["_id"])

    async def _allowed(self, replay: Document) -> int:
        allowed = min(int((time.monotonic() - self._paid_until(replay)) * self._per_s), _AT_ONCE)
        if allowed and await self._store.backlog(replay["endpoint"], wall_ms(), self._per_s) >= self._per_s:
            return 0
        return allowed

    def _paid_until(self, replay: Document) -> float:
        """Up to which moment the rate is used up; what was not used for a second is lost."""
        return max(self._paid[replay["_id"]], time.monotonic() - 1)

    def _pay(self, replay: Document, sent: int) -> None:
        self._paid[replay["_id"]] = self._paid_until(replay) + sent / self._per_s

    async def _step_history(self, replay: Document, document: Document, selection: History, allowed: int) -> None:
        """Reads on from the stored place until as much is found as may be sent, and plans it."""
        place: dict[str, Any] | int = replay["place"]
        if isinstance(place, int):
            assert selection.history.end is not None
            begun = await self._records.stretch(selection.history.start, selection.history.end)
            place = {"at": begun.at, "end": begun.end}
        stretch = Stretch(dict(place["at"]), dict(place["end"]))
        if not stretch.left:
            await self._store.end(replay["_id"], "done")
            return
        (endpoint,) = self._endpoints.of([document])
        reading = self._reading.pop(replay["_id"], None)
        reading = reading or self._records.read(stretch, endpoint, selection, min(allowed, CHUNK))
        try:
            found = await _enough(reading, allowed)
            await self._store.send_history(replay, unique(found.planned), {**place, "at": found.at}, wall_ms())
        except BaseException:
            await reading.aclose()  # it is ahead of what is stored
            raise
        self._pay(replay, len(found.planned))
        self._reading[replay["_id"]] = reading

    async def _close_others(self, ids: Collection[str]) -> None:
        for identity in [one for one in self._reading if one not in ids]:
            await self._reading.pop(identity).aclose()


async def _enough(pieces: AsyncGenerator[Found, None], wanted: int) -> Found:
    """What is found until it is as much as wanted, or until its time is over."""
    planned: list[Planned] = []
    at: Offsets = {}
    deadline = time.monotonic() + _STEP_MOST_S
    async for piece in pieces:
        planned += piece.planned
        at = piece.at
        if len(planned) >= wanted or time.monotonic() > deadline:
            break
    return Found(planned, at)
