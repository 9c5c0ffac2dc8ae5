"""A receiver of webhooks on loopback, as a stranger would write one; two libraries judge every delivery."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import standardwebhooks
import svix
from aiohttp import web

Answering = Callable[["Delivered"], Awaitable[web.StreamResponse | int]]


@dataclass(frozen=True)
class Delivered:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes
    event: dict[str, Any]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def sequence(self) -> int:
        return int(self.headers["webhook-sequence"])

    @property
    def attempt(self) -> int:
        return int(self.headers["webhook-attempt"])


@dataclass
class Receiver:
    """`received` are all requests, in order; `answer` decides each answer (a status, or a response of its own)."""

    url: str
    answer: Answering
    received: list[Delivered] = field(default_factory=list)
    secret: str | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        delivered = Delivered(headers, body, orjson.loads(body))
        if self.secret is not None:
            verify(self.secret, delivered)
        async with self._changed:
            self.received.append(delivered)
            self._changed.notify_all()
        answer = await self.answer(delivered)
        return web.Response(status=answer) if isinstance(answer, int) else answer

    async def until(self, enough: Callable[[list[Delivered]], bool], timeout_s: float = 120) -> list[Delivered]:
        """What was received, once it is enough."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: enough(self.received))
        except TimeoutError:
            numbers = [(one.sequence, one.attempt) for one in self.received]
            raise TimeoutError(f"not within {timeout_s:g} s; received were (sequence, attempt) {numbers}") from None
        return list(self.received)

    async def about(self, *subjects: str) -> list[Delivered]:
        """The first delivery about each of these subjects, once all have come."""

        def first(received: list[Delivered], subject: str) -> Iterator[Delivered]:
            return (one for one in received if one.event["subject"] == subject)

        received = await self.until(lambda found: all(next(first(found, subject), None) for subject in subjects))
        return [next(first(received, subject)) for subject in subjects]


def verify(secret: str, delivered: Delivered) -> None:
    """Raises when either library of receivers would refuse the delivery."""
    standardwebhooks.Webhook(secret).verify(delivered.body, delivered.headers)
    svix.Webhook(secret).verify(delivered.body, delivered.headers)


async def fine(_: Delivered) -> int:
    return 204


def in_turn(*statuses: int) -> Answering:
    """These statuses one after another; the last one for ever."""
    left = list(statuses)

    async def answer(_: Delivered) -> int:
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@asynccontextmanager
async def receiving(answer: Answering = fine, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """A running receiver on a free port; requests that still hang at the end are cut off."""
    receiver = Receiver("", answer)
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, 0)
        await site.start()
        receiver.url = f"http://{host}:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()
