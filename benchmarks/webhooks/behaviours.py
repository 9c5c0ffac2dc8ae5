"""How receivers answer: as they should, late, never, a drop at a time, without end, or badly to a share."""

import asyncio
import gzip
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

OK: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
FAIL: Final = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
_HEAD: Final = b"HTTP/1.1 200 OK\r\n"
_BOMB: Final = gzip.compress(b"\0" * (1 << 24))
_FULL: Final = 256 * 1024
_DROP_S: Final = 0.25
_MOST_IN_A_ROW: Final = 3

Answer = Callable[[asyncio.Transport], int]
"""Answers one request, at once or later; the status that it gives, 0 when it gives none or not one to speak of."""


def normal() -> Answer:
    def answer(transport: asyncio.Transport) -> int:
        transport.write(OK)
        return 204

    return answer


def slow(delay_s: float) -> Answer:
    def answer(transport: asyncio.Transport) -> int:
        asyncio.get_running_loop().call_later(delay_s, late, transport)
        return 204

    def late(transport: asyncio.Transport) -> None:
        if not transport.is_closing():
            transport.write(OK)

    return answer


def hung() -> Answer:
    """Also a silent TLS: what it is told, it does not read as HTTP."""
    return lambda _: 0


def failing(share: float) -> Answer:
    """500 to a random share of requests, but to few in a row: an endpoint that seems dead is left alone for a while."""
    in_a_row = 0

    def answer(transport: asyncio.Transport) -> int:
        nonlocal in_a_row
        bad = random.random() < share and in_a_row < _MOST_IN_A_ROW
        in_a_row = in_a_row + 1 if bad else 0
        transport.write(FAIL if bad else OK)
        return 500 if bad else 204

    return answer


def flapping(period_s: float) -> Answer:
    """503 for a period, fine for the next, and so on."""

    def answer(transport: asyncio.Transport) -> int:
        bad = int(time.monotonic() / period_s) % 2 == 1
        transport.write(BUSY if bad else OK)
        return 503 if bad else 204

    return answer


def _for_ever(start: bytes, wave: bytes, every_s: float) -> Answer:
    """`start`, then `wave` again and again while the connection takes it."""

    async def pour(transport: asyncio.Transport) -> None:
        transport.write(start)
        while not transport.is_closing():
            if transport.get_write_buffer_size() < _FULL:
                transport.write(wave)
            await asyncio.sleep(every_s)

    return _later(pour)


def _later(pour: Callable[[asyncio.Transport], Awaitable[None]]) -> Answer:
    pouring: set[asyncio.Future[None]] = set()

    def answer(transport: asyncio.Transport) -> int:
        task = asyncio.ensure_future(pour(transport))
        pouring.add(task)
        task.add_done_callback(pouring.discard)
        return 0

    return answer


BEHAVIOURS: Final[dict[str, Callable[..., Answer]]] = {
    "normal": normal,
    "slow": slow,
    "hung": hung,
    "failing": failing,
    "flapping": flapping,
    "slow headers": lambda: _for_ever(_HEAD + b"X-Slow: ", b"x", _DROP_S),
    "dripped body": lambda: _for_ever(_HEAD + b"Content-Length: 100000\r\n\r\n", b"x", _DROP_S),
    "endless body": lambda: _for_ever(_HEAD + b"\r\n", b"x" * 65536, 0.001),
    "gzip bomb": lambda: _for_ever(_HEAD + b"Content-Encoding: gzip\r\n\r\n" + _BOMB, _BOMB, 0.001),
    "header flood": lambda: _for_ever(_HEAD, b"".join(b"X-%d: %s\r\n" % (n, b"x" * 100) for n in range(300)), 0.001),
    "silent TLS": hung,
}
HOSTILE: Final = ("slow headers", "dripped body", "endless body", "gzip bomb", "header flood", "silent TLS")


def made(kind: str, argument: Any = None) -> Answer:
    """The behaviour of that name; `argument` is its delay, share or period where it has one."""
    make = BEHAVIOURS[kind]
    return make() if argument is None else make(argument)
