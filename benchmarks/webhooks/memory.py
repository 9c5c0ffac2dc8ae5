"""The most that notify held while something was done."""

import asyncio
from typing import Self

from benchmarks.webhooks.town import Town

_LOOK_S = 0.1


class Most:
    """`async with Most(town) as most: …`; afterwards `most.seen_mb`."""

    def __init__(self, here: Town) -> None:
        self._here = here
        self._looking: asyncio.Task[None] | None = None
        self.seen_mb = here.memory_mb()

    async def __aenter__(self) -> Self:
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._looking is not None
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        self.seen_mb = max(self.seen_mb, self._here.memory_mb())

    async def _look(self) -> None:
        while True:
            self.seen_mb = max(self.seen_mb, self._here.memory_mb())
            await asyncio.sleep(_LOOK_S)
