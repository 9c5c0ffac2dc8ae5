"""After the vault's key was changed: seals what is kept under the new one, so that the old one can go."""

import asyncio

import structlog

from services.notify.domain import sealed_values
from services.notify.registry import Registry
from services.notify.store import NotifyStore
from services.notify.vault import Vault
from shared import tasks
from shared.bus.command import Overloaded, Refused
from shared.store.mongo import StoreError

log = structlog.get_logger(__name__)

_PAUSE_S = 5.0


class Resealing:
    """Looks once after each start; says in the log how many endpoints it resealed, and when it is done."""

    name = "resealing"

    def __init__(self, store: NotifyStore, registry: Registry, vault: Vault) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])

    async def _run(self) -> None:
        while True:
            try:
                count = await self._reseal()
            except (StoreError, Overloaded) as error:
                log.info("resealing_waits", error=type(error).__name__)
                await asyncio.sleep(_PAUSE_S)
                continue
            log.info("all_sealed_under_first_key", resealed=count)
            return

    async def _reseal(self) -> int:
        count = 0
        for document in await self._store.endpoints():
            if all(self._vault.is_first(one) for one in sealed_values(document)):
                continue
            try:
                await self._registry.reseal(document["_id"], self._vault.reseal)
                count += 1
            except Refused:
                continue  # deleted since, and its secrets with it
        return count
