"""A sender of webhooks on its own, and receivers on loopback that speak an HTTP of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from services.notify.address_guard import Guard
from services.notify.lookup import Lookup
from services.notify.networks import parse_networks
from services.notify.outcome import Answer
from services.notify.sender import HttpSender, Posting

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = Guard(allow_private=parse_networks("127.0.0.0/8"))


async def nobody(host: str) -> Sequence[str]:
    raise OSError("no such name")


@asynccontextmanager
async def sending(
    guard: Guard = LOOPBACK, lookup: Lookup = nobody, total_s: float = 15, connect_s: float = 5
) -> AsyncIterator[HttpSender]:
    """A running sender."""
    sender = HttpSender(guard, lookup, total_s=total_s, connect_s=connect_s)
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


def post(url: str, body: bytes = b"{}") -> Posting:
    return Posting(url, {"Content-Type": "application/cloudevents+json", "webhook-id": "msg_1"}, body)


@asynccontextmanager
async def raw(talk: Talk) -> AsyncIterator[str]:
    """A receiver that speaks its own idea of HTTP; its address as a URL."""
    talks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def answer_of(talk: Talk, total_s: float = 15) -> Answer:
    async with raw(talk) as url, sending(total_s=total_s) as sender:
        return await sender.send(post(url))
