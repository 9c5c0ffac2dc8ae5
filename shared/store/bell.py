"""A bell that rings when a collection changes, whichever process wrote: for workers that read the truth themselves."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from shared.store.mongo import Store, StoreError

log = structlog.get_logger(__name__)

INSERTS: tuple[Mapping[str, Any], ...] = ({"$match": {"operationType": "insert"}}, {"$project": {"_id": 1}})


class Bell:
    """Rings (`event`) after every change of a collection and whenever its change stream is opened anew.

    A ring says "look", never "what": whoever waits reads the collection afterwards, so a lost or doubled ring, or a
    stream that fell off the oplog, costs a look and no data.
    """

    def __init__(self, store: Store, collection: str, pipeline: Sequence[Mapping[str, Any]] = INSERTS) -> None:
        self._store = store
        self._collection = collection
        self._pipeline = pipeline
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Waits for a ring, at most `timeout_s`; says whether it rang. The ring is used up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        rang = self._event.is_set()
        self._event.clear()
        return rang

    async def run(self) -> None:
        """Listens until cancelled; a stream that breaks is opened again from now, and rings."""
        while True:
            try:
                async with self._store.watch(self._collection, self._pipeline) as stream:
                    await stream.try_next()
                    self.ring()
                    async for _ in stream:
                        self.ring()
            except StoreError as error:
                log.info("bell_reopens", collection=self._collection, error=type(error).__name__)
            await asyncio.sleep(0.5)
