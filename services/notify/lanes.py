"""The lane of one endpoint: its due deliveries, at most a few in flight, in nobody else's way."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from services.notify.delivery import Waiting
from services.notify.store import NotifyStore

log = structlog.get_logger(__name__)

_PAGE: Final = 64
_PAUSE_S: Final = 1.0
_NOT_NOW_S: Final = 0.1
_LOOK_AGAIN_S: Final = 60.0
_NOT_KNOWN: Final = 0
_NEVER: Final = 1 << 62


class Attempt(Protocol):
    """Makes one attempt. Answers False when it may not (the lane must give the delivery back).

    `written(next_at_ms)` is called later, once what became of it is durable: when it is due again, or None.
    Raises StoreError or Overloaded when nothing was concluded.
    """

    async def __call__(self, delivery: Waiting, written: "Written") -> bool: ...


class Written(Protocol):
    def __call__(self, next_at_ms: int | None) -> None: ...


class Lane:
    """Takes what is due for one endpoint, in the order in which it became due, and attempts it, `in_flight` at a time.

    `wake()` says that something new may be due; the lane's own retries need no waking. What was taken stays in hand
    until it is written down, so that no read of the queue can take it twice.
    """

    def __init__(
        self,
        endpoint_id: str,
        store: NotifyStore,
        attempt: Attempt,
        in_flight: int,
        numbered: int = 0,
        room: Callable[[], int] = lambda: _PAGE,
    ) -> None:
        self.endpoint_id = endpoint_id
        self._store = store
        self._attempt = attempt
        self._in_flight = in_flight
        self._queue: deque[Waiting] = deque()
        self._in_hand: set[str] = set()
        self._written: set[str] = set()
        self._bell = asyncio.Event()
        self._look = True
        self._heard = self._known = numbered
        self._room = room
        self._next_due_ms = _NOT_KNOWN
        self._taking = asyncio.Lock()
        self._closing = False
        self._hands: list[asyncio.Task[None]] = []

    def open(self) -> None:
        self._hands = [
            asyncio.create_task(self._hand(), name=f"lane {self.endpoint_id}") for _ in range(self._in_flight)
        ]

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
        follows on it was never taken, and what was numbered elsewhere in between shows as a step.
        """
        fits = self._room() - len(self._queue)
        if self._look or planned[0].sequence != self._known + 1 or fits <= 0:
            self.hear(planned[-1].sequence)
            return
        taken = planned[:fits]
        self._known = taken[-1].sequence
        self._queue.extend(taken)
        self._in_hand.update(one.id for one in taken)
        self._bell.set()
        self.hear(planned[-1].sequence)

    async def close(self, patience_s: float = 0.0) -> None:
        """Takes nothing more; requests in flight may end within `patience_s`, then they are cut off (and repeated)."""
        self._closing = True
        self._bell.set()
        if patience_s:
            await asyncio.wait(self._hands, timeout=patience_s)
        for hand in self._hands:
            hand.cancel()
        await asyncio.gather(*self._hands, return_exceptions=True)

    async def _hand(self) -> None:
        while not self._closing:
            try:
                delivery = await self._next()
                if delivery is not None:
                    await self._make(delivery)
            except Exception as error:
                # Also what nobody foresaw: one delivery must never end the lane. It stays due and is taken again.
                log.warning("lane_waits", endpoint=self.endpoint_id, error=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
                self._next_due_ms = _NOT_KNOWN
                self.wake()

    async def _next(self) -> Waiting | None:
        """The next due delivery; waits for one. None when the lane closes."""
        async with self._taking:
            while not self._closing:
                if self._queue:
                    return self._queue.popleft()
                if self._look or self._next_due_ms <= _now_ms():
                    await self._refill()
                else:
                    await self._rest()
        return None

    async def _refill(self) -> None:
        """Takes in hand what is due; when a time that was waited for has come, finds the next. A full page goes on."""
        now_ms = _now_ms()
        came = self._next_due_ms <= now_ms
        self._look = False
        self._written.clear()
        heard, limit = self._heard, self._room() + len(self._in_hand)
        due = await self._store.due(self.endpoint_id, now_ms, limit)
        # What was written down while we read may stand in what we read as it was before.
        fresh = [delivery for delivery in due if delivery.id not in self._in_hand | self._written]
        self._queue.extend(fresh)
        self._in_hand.update(delivery.id for delivery in fresh)
        self._look |= len(due) == limit
        # Numbered and not due: the clock of whoever planned it is ahead of ours.
        later = heard > max(self._known, *(delivery.sequence for delivery in due), 0)
        self._known = max(self._known, heard, *(delivery.sequence for delivery in due))
        if came or later:
            self._next_due_ms = _NEVER
            self._due_at(await self._store.next_due_ms(self.endpoint_id, now_ms))

    async def _rest(self) -> None:
        wait_s = min((self._next_due_ms - _now_ms()) / 1000, _LOOK_AGAIN_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait_s, 0.001)):
                await self._bell.wait()
        self._bell.clear()

    def _due_at(self, moment_ms: int | None) -> None:
        if moment_ms is not None:
            self._next_due_ms = min(self._next_due_ms, moment_ms)

    async def _make(self, delivery: Waiting) -> None:
        def written(next_at_ms: int | None) -> None:
            self._in_hand.discard(delivery.id)
            self._written.add(delivery.id)
            if next_at_ms is not None:
                self._due_at(next_at_ms)
                self._bell.set()

        try:
            made = await self._attempt(delivery, written)
        except BaseException:
            self._in_hand.discard(delivery.id)
            raise
        if not made:
            self._in_hand.discard(delivery.id)
            await asyncio.sleep(_NOT_NOW_S)
            self.wake()  # it is due still, and a lease that is renewed late wakes nobody


def _now_ms() -> int:
    return int(time.time() * 1000)
