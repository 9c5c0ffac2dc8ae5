"""Works erasures off within seconds, and keeps what is in a lane's hand from telling of who was just erased."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from services.notify.delivery import Waiting
from services.notify.endpoint import Endpoint, Endpoints
from services.notify.erasures import Erasures, redaction_of
from services.notify.pairwise import Pseudonyms
from services.notify.store import NotifyStore
from shared import tasks
from shared.store.leases import Leases
from shared.store.mongo import Store, StoreError

log = structlog.get_logger(__name__)

_EVERY_S: Final = 1.0
# Longer than a lane can hold what it took: a page of 64, one at a time, each for as long as an attempt may last.
_REMEMBERED_S: Final = 2 * 3600.0
# Longer than a transaction that notes an erasure can last.
_OVERLAP: Final = timedelta(seconds=60)
_LEASE: Final = "eraser-0"


class Eraser:
    """One replica redacts what is stored; each redacts what it holds in memory, at the moment of sending."""

    name = "eraser"

    def __init__(
        self, store: Store, notify: NotifyStore, erasures: Erasures, endpoints: Endpoints, holder: str
    ) -> None:
        self._notify = notify
        self._erasures = erasures
        self._endpoints = endpoints
        self._leases = Leases(store, [_LEASE], holder)
        self._recent: dict[str, float] = {}
        self._read_to = datetime.now(UTC) - timedelta(seconds=_REMEMBERED_S)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        for coroutine in (self._leases.run(), self._run()):
            self._tasks.append(asyncio.create_task(coroutine, name=self.name))

    async def stop(self) -> None:
        await tasks.end(self._tasks)

    def to_send(self, delivery: Waiting, endpoint: Endpoint) -> Waiting:
        """The delivery as it may be sent now: what was read before an erasure tells nothing of the member any more."""
        gone = self._recent.keys() & set(delivery.people) if self._recent else None
        if not gone:
            return delivery
        return replace(delivery, body=redaction_of(delivery.body, gone, endpoint))

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except StoreError as error:
                log.info("erasures_wait", error=type(error).__name__)
            except Exception as error:
                # Also what nobody foresaw: an erasure must never wait for ever.
                log.warning("erasures_wait", error=type(error).__name__)
            await asyncio.sleep(_EVERY_S)

    async def _look(self) -> None:
        await self._remember()
        if _LEASE not in self._leases.held():
            return
        erasures = await self._erasures.open()
        if erasures:
            await self._work_off(erasures)

    async def _remember(self) -> None:
        now = time.monotonic()
        for member, at in await self._erasures.since(self._read_to - _OVERLAP):
            self._recent.setdefault(member, now + _REMEMBERED_S)
            self._read_to = max(self._read_to, at)
        self._recent = {member: until for member, until in self._recent.items() if until > now}

    async def _work_off(self, erasures: Sequence[tuple[str, datetime]]) -> None:
        pseudonyms = await self._pseudonyms()
        for member, noted_at in erasures:
            if _LEASE not in self._leases.held():
                return
            count = await self._erasures.work_off(member, noted_at, pseudonyms.get)
            if count:
                log.info("erased", deliveries=count)

    async def _pseudonyms(self) -> dict[str, Pseudonyms]:
        return {one.id: one.pseudonyms for one in self._endpoints.of(await self._notify.endpoints())}
