"""Verifies receivers: asks the challenge, and makes an endpoint active whose receiver has answered it."""

import asyncio
from typing import Final

import structlog

from services.notify.challenge import Unanswered, challenge
from services.notify.domain import completed
from services.notify.endpoint import Endpoints
from services.notify.registry import Asked, Registry
from services.notify.sender import Asker
from services.notify.store import NotifyStore
from shared import tasks
from shared.bus.command import Outcome, Overloaded, Refused
from shared.clock import wall_ms
from shared.store.mongo import Document, StoreError

log = structlog.get_logger(__name__)

_MOST_AT_ONCE: Final = 16


class Challenger:
    """`required` is the operator's setting; `soon` asks without anybody waiting for the answer."""

    name = "challenger"

    def __init__(
        self, store: NotifyStore, registry: Registry, endpoints: Endpoints, sender: Asker, *, required: bool
    ) -> None:
        self.required = required
        self._store = store
        self._registry = registry
        self._endpoints = endpoints
        self._sender = sender
        self._free = asyncio.Semaphore(_MOST_AT_ONCE)
        self._asking: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        await tasks.end(self._asking)

    async def check(self, document: Document, asked: Asked) -> Outcome | Unanswered:
        """One challenge. Raises Refused when the endpoint was changed meanwhile, Overloaded when nothing was done."""
        (endpoint,) = self._endpoints.of([completed(document)])
        async with self._free:
            unanswered = await challenge(endpoint, self._sender, wall_ms())
        return unanswered or await self._registry.verify(endpoint.id, endpoint.url, asked)

    def soon(self, endpoint_id: str, subject: str) -> None:
        """One challenge, if it is required of this endpoint; what comes of it shows in the endpoint's state."""
        if self.required:
            task = asyncio.create_task(self._once(endpoint_id, subject), name=self.name)
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _once(self, endpoint_id: str, subject: str) -> None:
        try:
            document = await self._store.endpoint(endpoint_id)
            if document is not None and document["state"] == "unverified":
                await self.check(document, Asked(subject))
        except (Refused, Overloaded, StoreError) as error:
            log.info("challenge_unsettled", endpoint=endpoint_id, error=type(error).__name__)
