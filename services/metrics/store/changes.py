"""Which documents changed: a change stream per collection that collects ids until somebody takes them."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from shared.store.mongo import Store, StoreError

_IDS_ONLY = ({"$project": {"documentKey": 1}},)


class StreamBroken(Exception):
    """A change stream ended: what was collected is not all. Open anew, then read everything."""


class Changes:
    """Collects the ids of changed documents; entered once all streams are open, so a read after that misses nothing."""

    def __init__(self, store: Store, collections: Mapping[str, str]) -> None:
        """`collections`: the name under which to `take`, and the collection's own name."""
        self._store = store
        self._collections = collections
        self._ids: dict[str, set[str]] = {name: set() for name in collections}
        self._event = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        opened = [asyncio.Event() for _ in self._collections]
        self._tasks = [
            asyncio.create_task(self._follow(name, event), name=f"changes of {name}")
            for name, event in zip(self._collections, opened, strict=True)
        ]
        try:
            for event in opened:
                await event.wait()
            self._raise_if_broken()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def wait(self, timeout_s: float) -> bool:
        """Waits for a change, at most `timeout_s`; says whether there is one. Raises StreamBroken."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return False
        self._raise_if_broken()
        return True

    def take(self, name: str) -> set[str]:
        """The ids that changed since they were last taken."""
        self._event.clear()
        self._raise_if_broken()
        ids, self._ids[name] = self._ids[name], set()
        if any(self._ids.values()):
            self._event.set()
        return ids

    def _raise_if_broken(self) -> None:
        if any(task.done() for task in self._tasks):
            raise StreamBroken

    async def _follow(self, name: str, opened: asyncio.Event) -> None:
        try:
            async with self._store.watch(self._collections[name], _IDS_ONLY) as stream:
                opened.set()
                async for change in stream:
                    key = change.get("documentKey")
                    if key is None:
                        return  # the collection was dropped
                    self._ids[name].add(key["_id"])
                    self._event.set()
        except StoreError:
            return
        finally:
            opened.set()
            self._event.set()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
