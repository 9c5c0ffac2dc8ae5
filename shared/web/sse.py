"""Server-sent events: a stream that ends when the reader goes, when its source ends, or when the process must stop."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.telemetry.metrics import HTTP_STREAMS

KEEPALIVE_S = 15.0
_KEEPALIVE = b": still here\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(frozen=True)
class Frame:
    """One event: `data` may have several lines; `id` comes back as `Last-Event-ID` when the browser connects again."""

    data: str
    id: str | None = None
    event: str | None = None

    def encode(self) -> bytes:
        """As it goes over the wire."""
        lines = [f"id: {self.id}"] if self.id is not None else []
        lines += [f"event: {self.event}"] if self.event is not None else []
        lines += [f"data: {line}" for line in self.data.splitlines() or [""]]
        return ("\n".join(lines) + "\n\n").encode()


class EventStream(Response):
    """The answer that sends `frames` as they come, and a comment every 15 s so that proxies keep the line open.

    `stopping` is the service's; when it is set the stream ends at once and the browser connects again elsewhere.
    """

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncIterator[Frame], stopping: asyncio.Event) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]  # it has no end
        self._frames = frames
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        pump = asyncio.create_task(self._pump(send))
        ends = [pump, asyncio.create_task(self._stopping.wait()), asyncio.create_task(_gone(receive))]
        HTTP_STREAMS.inc()
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            HTTP_STREAMS.dec()
            for task in ends:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        if not pump.cancelled() and (error := pump.exception()) is not None:
            raise error
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pump(self, send: Send) -> None:
        coming: asyncio.Task[Frame] | None = None
        try:
            while True:
                coming = coming or asyncio.create_task(_next(self._frames))
                done, _ = await asyncio.wait({coming}, timeout=KEEPALIVE_S)
                chunk = _KEEPALIVE
                if done:
                    chunk, coming = coming.result().encode(), None
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except _SourceEnded:
            return
        finally:
            if coming is not None:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            close = getattr(self._frames, "aclose", None)
            if close is not None:
                await close()


class _SourceEnded(Exception):
    """The iterator has no more frames (a task cannot end with StopAsyncIteration)."""


async def _next(frames: AsyncIterator[Frame]) -> Frame:
    async for frame in frames:
        return frame
    raise _SourceEnded


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
