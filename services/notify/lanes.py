"""The lane of one endpoint: its due deliveries, at most a few in flight, in nobody else's way."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog

from services.notify.attempt import Attempt, Begun
from services.notify.delivery import Settled, Waiting
from services.notify.ordered import OrderedStore
from services.notify.store import NotifyStore
from services.notify.turns import Turns
from shared.clock import wall_ms

log = structlog.get_logger(__name__)

_PAGE: Final = 64
_PAUSE_S: Final = 1.0
_NOT_NOW_S: Final = 0.1
_LOOK_AGAIN_S: Final = 60.0
_NOT_KNOWN: Final = 0
_NEVER: Final = 1 << 62


class Lane:
    """Takes what is due for one endpoint, in the order in which it became due, and attempts it when it may.

    `wake()` says that something new may be due; the lane's own retries need no waking. What was taken stays in hand
    until it is written down, so that no read of the queue can take it twice. A delivery with a key goes when all of
    its key that came before have ended (`Lines`); `keyed` says that there may be such.
    """

    def __init__(
        self,
        endpoint_id: str,
        store: NotifyStore,
        ordered: OrderedStore,
        attempt: Attempt,
        room: Callable[[], int] = lambda: _PAGE,
        *,
        keyed: bool = False,
    ) -> None:
        self.endpoint_id = endpoint_id
        self.keyed = keyed
        self._store = store
        self._ordered = ordered
        self._attempt = attempt
        self._queue: deque[Waiting] = deque()
        self._in_hand: set[str] = set()
        self._written: set[str] = set()
        self._turns = Turns(endpoint_id, ordered)
        self._bell = asyncio.Event()
        self._look = True
        self._heard = self._known = 0
        self._room = room
        self._next_due_ms = _NOT_KNOWN
        self._not_before = 0.0
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._flying: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"lane {self.endpoint_id}")

    def blocked(self) -> int:
        """How many keys are held up by a delivery that failed."""
        return self._turns.lines.blocked()

    def wake(self) -> None:
        self._look = True
        self._bell.set()

    def hear(self, sequence: int) -> None:
        """Somebody has numbered deliveries up to this one: wakes unless all of them are known here."""
        self._heard = max(self._heard, sequence)
        if sequence > self._known:
            self.wake()

    def offer(self, planned: Sequence[Waiting]) -> None:
        """Deliveries just planned, in order; they are stored. Taken as they are while nothing before them is unread.

        Every number at or below `_known` was read, offered or is done; numbers are committed in order, so that what
        follows on it was never taken, and what was numbered elsewhere in between shows as a step. A read that ended
        with a full page therefore leaves `_known` as it was: offers come also while the next page is read.
        """
        fits = self._room() - len(self._queue)
        if self._look or planned[0].sequence != self._known + 1 or fits <= 0:
            self.hear(planned[-1].sequence)
            return
        self.keyed |= any(one.key is not None for one in planned)
        self._arrive(planned[:fits])
        self._known = planned[:fits][-1].sequence
        self._bell.set()
        self.hear(planned[-1].sequence)

    def look_afresh(self) -> None:
        """Somebody else has changed deliveries of this endpoint: what is known of them counts no more."""
        self._turns.forget()
        self._next_due_ms = _NOT_KNOWN
        self.wake()

    async def close(self, patience_s: float = 0.0) -> None:
        """Takes nothing more; requests in flight may end within `patience_s`, then they are cut off (and repeated)."""
        self._closing = True
        self._bell.set()
        tasks = {*self._flying, *([self._task] if self._task else [])}
        if patience_s and tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        tasks |= self._flying
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while not self._closing:
            try:
                delivery = await self._next()
                if delivery is not None:
                    self._begin(delivery)
            except Exception as error:
                await self._recover(error)

    async def _recover(self, error: Exception) -> None:
        """Also from what nobody foresaw: one delivery must never end the lane. It stays due and is taken again."""
        log.warning("lane_waits", endpoint=self.endpoint_id, error=type(error).__name__)
        await asyncio.sleep(_PAUSE_S)
        self._next_due_ms = _NOT_KNOWN
        self.wake()

    async def _next(self) -> Waiting | None:
        """The next due delivery, when it may be attempted. None when the lane closes."""
        while not self._closing:
            wait_s = max(self._attempt.pause_s(len(self._flying)), self._not_before - time.monotonic())
            if wait_s > 0:
                await self._rest(wait_s)
            elif self._queue:
                return self._queue.popleft()
            elif self._look or self._next_due_ms <= wall_ms():
                await self._refill()
            else:
                await self._rest((self._next_due_ms - wall_ms()) / 1000)
        return None

    def _begin(self, delivery: Waiting) -> None:
        task = asyncio.create_task(self._make(delivery, self._attempt.begin(delivery)))
        self._flying.add(task)
        task.add_done_callback(self._landed)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        self._bell.set()

    async def _refill(self) -> None:
        """Takes in hand what is due; when a time that was waited for has come, finds the next. A full page goes on."""
        now_ms = wall_ms()
        came = self._next_due_ms <= now_ms
        if came:  # before anything is read: a retry that is written down meanwhile may be due already
            self._next_due_ms = _NEVER
        self._look = False
        self._written.clear()
        known, heard, limit = self._known, self._heard, self._room() + len(self._in_hand)
        if self.keyed:
            await self._turns.recall()
        read = await self._store.due(self.endpoint_id, now_ms, limit)
        for one in self._fresh(read):
            if one.key is None or self._turns.lines.returns(one.key, one):
                self._queue.append(one)
                self._in_hand.add(one.id)
        more = len(read) == limit
        if self.keyed:
            page = self._room()
            arrived = await self._refill_in_order(now_ms, page)
            more |= len(arrived) == page
            read += arrived
        if more:
            self._look = True
        else:
            self._known = max([self._known, heard, *(one.sequence for one in read)])
        # Numbered and not due: the clock of whoever planned it is ahead of ours.
        missing = heard - known > sum(one.sequence > known for one in read)
        if came or (missing and not more):
            self._due_at(await self._store.next_due_ms(self.endpoint_id, now_ms))

    async def _refill_in_order(self, now_ms: int, page: int) -> list[Waiting]:
        """Calls the keys that are free; reads a page of what has arrived, which is the answer."""
        async for line in self._turns.calls(now_ms):
            self._in_hand.update(one.id for one in line)
            self._queue.extend(list(line)[:1])
        arrived = await self._turns.arrivals(page)
        self._arrive(self._fresh(arrived))
        await self._turns.shelve()
        return arrived

    def _arrive(self, arrived: Iterable[Waiting]) -> None:
        """Those never tried, in the order of their numbers: each goes, stands in line, or is to be shelved."""
        for one in arrived:
            if one.key is None or self._turns.lines.arrives(one.key, one):
                self._queue.append(one)
            if one.id not in self._turns.lines.to_shelve:
                self._in_hand.add(one.id)
        self._look |= bool(self._turns.lines.to_shelve)

    def _fresh(self, found: Iterable[Waiting]) -> list[Waiting]:
        """What was written down while we read may stand in what we read as it was before."""
        return [one for one in found if one.id not in self._in_hand and one.id not in self._written]

    async def _rest(self, wait_s: float) -> None:
        wait_s = min(max(wait_s, 0.001), _LOOK_AGAIN_S)
        timer = asyncio.get_running_loop().call_later(wait_s, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            timer.cancel()
        self._bell.clear()

    def _due_at(self, moment_ms: int | None) -> None:
        if moment_ms is not None:
            self._next_due_ms = min(self._next_due_ms, moment_ms)

    async def _make(self, delivery: Waiting, begun: Begun) -> None:
        try:
            made = await self._attempt(delivery, begun, self._ended)
        except Exception as error:
            self._give_back(delivery)
            await self._recover(error)
        else:
            if not made:
                self._queue.appendleft(delivery)
                self._not_before = time.monotonic() + _NOT_NOW_S

    def _ended(self, settled: Settled) -> None:
        delivery = settled.delivery
        self._leaves(delivery)
        if delivery.key is not None:
            self._go_on(delivery.key, settled)
        self._due_at(settled.next_at_ms)
        self._bell.set()

    def _go_on(self, key: str, settled: Settled) -> None:
        if settled.holds:
            for one in self._turns.lines.holds(key, settled.delivery.id):
                self._leaves(one)
        elif following := self._turns.lines.ends(key):
            self._queue.append(following)
        self._look |= bool(self._turns.lines.to_shelve or self._turns.lines.to_call)

    def _give_back(self, delivery: Waiting) -> None:
        self._in_hand.discard(delivery.id)
        if delivery.key is not None:
            for one in self._turns.lines.gives_back(delivery.key):
                self._in_hand.discard(one.id)

    def _leaves(self, delivery: Waiting) -> None:
        self._in_hand.discard(delivery.id)
        self._written.add(delivery.id)
