"""Whose turn it is in one lane, by the database: learned now and then; who is free is called, the rest shelved."""

import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from services.notify.delivery import Waiting
from services.notify.lines import Lines
from services.notify.ordered import OrderedStore

_LEARN_AGAIN_S: Final = 60.0


class Turns:
    """`lines` knows whose turn it is; here it is fed and obeyed. Each method raises StoreError, and may be repeated."""

    def __init__(self, endpoint_id: str, store: OrderedStore) -> None:
        self.lines = Lines()
        self._endpoint_id = endpoint_id
        self._store = store
        self._read_to = 0
        self._learn_at = 0.0

    def forget(self) -> None:
        """What is known counts no more: somebody else has changed deliveries."""
        self._learn_at = 0.0

    async def recall(self) -> None:
        """Shelves what a failed write has left; learns, now and then, which keys are held or have some behind."""
        await self.shelve()
        if time.monotonic() < self._learn_at:
            return
        self.lines.reading()
        held = await self._store.held(self._endpoint_id)
        self.lines.stored(held, await self._store.behind(self._endpoint_id))
        self._read_to = 0
        self._learn_at = time.monotonic() + _LEARN_AGAIN_S

    async def calls(self, now_ms: int) -> AsyncIterator[deque[Waiting]]:
        """For each key that is free and has some behind: who is in hand now, of whom the first goes."""
        for key in list(self.lines.to_call):
            yield self.lines.called(key, await self._store.line(self._endpoint_id, key), now_ms)

    async def arrivals(self, page: int) -> list[Waiting]:
        """The next that were never tried, in order."""
        arrived = await self._store.arrivals(self._endpoint_id, self._read_to, page)
        if arrived:
            self._read_to = arrived[-1].sequence
        return arrived

    async def shelve(self) -> None:
        """Puts behind what can neither go nor stand in line."""
        if ids := list(self.lines.to_shelve):
            await self._store.shelve(ids)
            for each in ids:
                self.lines.to_shelve.pop(each, None)
