"""A receiver of webhooks on this machine: bounded in size and time, and nothing unverified is believed."""

import asyncio
import signal
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
from aiohttp import web

from kairan.stack.errors import StackError
from services.notify.app import new_secret, verifying

BODY_LIMIT: Final = 1 << 20
BODY_WITHIN_S: Final = 15.0
REMEMBERED: Final = 10_000
CHALLENGE: Final = "kairan.endpoint-challenge.v1"

__all__ = ["Heard", "Receiver", "new_secret", "stop_on_signals"]


@dataclass(frozen=True)
class Heard:
    """One request as it was judged. Nothing of the body is here unless it was `verified`; `reason` says why not.

    `repeat`: a delivery with this id was verified before. `answered` is the HTTP status.
    """

    id: str | None
    verified: bool
    reason: str | None
    sequence: int | None
    attempt: int | None
    answered: int
    event: dict[str, Any] | None = None
    repeat: bool = False

    @property
    def type(self) -> str | None:
        return self._text("type")

    @property
    def subject(self) -> str | None:
        return self._text("subject")

    def _text(self, name: str) -> str | None:
        value = (self.event or {}).get(name)
        return value if isinstance(value, str) else None


class Receiver:
    """Judges requests and tells `tell` of each; `stop` is set when nobody reads what is told."""

    def __init__(self, answer: int, tell: Callable[[Heard], None], stop: asyncio.Event) -> None:
        self.nobody_reads = False
        self._answer, self._tell, self._stop = answer, tell, stop
        self._fault_of = verifying([])
        self._seen: OrderedDict[str, None] = OrderedDict()

    def trust(self, secrets: Sequence[str]) -> None:
        """Takes what is signed with one of these. Raises ValueError for what is no secret."""
        self._fault_of = verifying(secrets)

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Answers on the address; the port that it got. Raises `StackError` when the address cannot be had."""
        server = web.Application(client_max_size=BODY_LIMIT)
        server.router.add_route("*", "/{path:.*}", self._take)
        # A signature is over the bytes as they came, and nobody can send a bomb.
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0, auto_decompress=False)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise StackError(
                    f"cannot listen on {host}:{port} ({error.strerror}); choose by --host, --port"
                ) from None
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"}, text="webhooks come by POST\n")
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            heard = self._refused(request.headers, "too-large", 413)
        except TimeoutError:
            heard = self._refused(request.headers, "too-slow", 408)
        else:
            heard = self._judged(request.headers, body)
        self._report(heard)
        if heard.verified and heard.type == CHALLENGE and heard.answered < 300:
            return web.json_response({"challenge": (heard.event or {}).get("challenge")})
        return web.Response(status=heard.answered, text=f"{heard.reason}\n" if heard.reason else None)

    def _judged(self, headers: Mapping[str, str], body: bytes) -> Heard:
        fault = self._fault_of({name.lower(): value for name, value in headers.items()}, body, time.time())
        if fault is not None:
            return self._refused(headers, fault, 401)
        try:
            event = orjson.loads(body)
        except ValueError:
            event = None
        said = (headers["webhook-id"], True, None if isinstance(event, dict) else "no-json-object")
        counts = (_number(headers, "webhook-sequence"), _number(headers, "webhook-attempt"))
        if not isinstance(event, dict):
            return Heard(*said, *counts, 400)
        return Heard(*said, *counts, self._answer, event, repeat=self._is_repeat(headers["webhook-id"]))

    def _refused(self, headers: Mapping[str, str], reason: str, status: int) -> Heard:
        counts = (_number(headers, "webhook-sequence"), _number(headers, "webhook-attempt"))
        return Heard(headers.get("webhook-id"), False, reason, *counts, status)

    def _is_repeat(self, delivery_id: str) -> bool:
        known = delivery_id in self._seen
        self._seen[delivery_id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return known

    def _report(self, heard: Heard) -> None:
        try:
            self._tell(heard)
        except BrokenPipeError:
            self.nobody_reads = True
            self._stop.set()


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def stop_on_signals() -> asyncio.Event:
    """Set by SIGINT, SIGTERM and SIGHUP."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    return stop
