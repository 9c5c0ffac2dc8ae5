"""Documents that vanish by themselves at their `expires_at`."""

import asyncio
from collections.abc import Sequence

import structlog

from shared.store.mongo import Store, StoreError

log = structlog.get_logger(__name__)


class Expiring:
    """A part of a service: makes the collections forget, as soon as the database can be reached."""

    name = "expiring"

    def __init__(self, store: Store, collections: Sequence[str]) -> None:
        self._store = store
        self._collections = collections
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._prepare(), name=f"{self.name}-prepare")

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _prepare(self) -> None:
        while True:
            try:
                for collection in self._collections:
                    await self._store.ensure_expiry(collection, "expires_at", 0)
            except StoreError as error:
                log.info("expiry_waits", error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                return
