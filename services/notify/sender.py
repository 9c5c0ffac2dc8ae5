"""One signed POST to a receiver, and nothing a hostile receiver can do about our time, memory or network."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

import aiohttp

from services.notify.address_guard import Guard, guarded_connector
from services.notify.answer_text import answer_text
from services.notify.lookup import Lookup
from services.notify.outcome import Answer, Failure, failure_of
from services.notify.post import Place, Response, post
from services.notify.retry import retry_after_s
from services.notify.target import Forbidden

CONNECT_TIMEOUT_S: Final = 5.0
TOTAL_TIMEOUT_S: Final = 15.0
IDLE_TLS: Final = 200
# Shorter than the 5 s after which common servers close an idle connection, so that we never meet that moment.
_KEEPALIVE_S: Final = 4.0
_PLACES: Final = 10_000


@dataclass(frozen=True)
class Posting:
    """What is sent: `url` as configured (checked again when dialled), headers without our fixed ones, exact body."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Warm:
    """The hosts that may keep a TLS connection for the next request: `most`, those that were there first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used_at: OrderedDict[str, float] = OrderedDict()

    def keeps(self, host: str, now_s: float) -> bool:
        """Whether the connection of a request that begins now is kept; a host has its place until it is idle."""
        while self._used_at and next(iter(self._used_at.values())) < now_s - TOTAL_TIMEOUT_S - _KEEPALIVE_S:
            self._used_at.popitem(last=False)
        if host not in self._used_at and len(self._used_at) >= self._most:
            return False
        self._used_at[host] = now_s
        self._used_at.move_to_end(host)
        return True


class Sender(Protocol):
    """Sends one posting. Never raises for what a receiver or the network does: that is an Answer with a failure."""

    async def send(self, posting: Posting) -> Answer: ...


class Asker(Protocol):
    """As a Sender, for a question whose answer matters: with `keep` bytes of its body at most."""

    async def ask(self, posting: Posting, keep: int) -> tuple[Answer, bytes]: ...


class HttpSender:
    """A Sender over aiohttp: no redirects, no proxies, no cookies, no decompression, 64 KiB of answer at most."""

    name = "sender"

    def __init__(
        self,
        guard: Guard,
        lookup: Lookup,
        *,
        total_s: float = TOTAL_TIMEOUT_S,
        connect_s: float = CONNECT_TIMEOUT_S,
        idle_tls: int = IDLE_TLS,
    ) -> None:
        self._guard = guard
        self._lookup = lookup
        self._total_s = total_s
        self._connect_s = connect_s
        self._warm = Warm(idle_tls)
        self._public: aiohttp.BaseConnector | None = None
        self._private: aiohttp.BaseConnector | None = None
        self._place = lru_cache(_PLACES)(self._placed)

    async def start(self) -> None:
        self._public = self._connector(private=None)
        self._private = self._connector(private="only allowed in a network that the operator names")

    async def stop(self) -> None:
        for connector in (self._public, self._private):
            if connector is not None:
                await connector.close()

    async def send(self, posting: Posting) -> Answer:
        answer, _ = await self.ask(posting, 0)
        return answer

    async def ask(self, posting: Posting, keep: int) -> tuple[Answer, bytes]:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._total_s):
                response = await self._post(posting, keep)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, failure_class(error), _ms_since(started)), b""
        failure, wait_s = failure_of(response.status), retry_after_s(response.retry_after, datetime.now(UTC))
        said = "" if failure is None else answer_text(response.kept, response.content_type)
        return Answer(response.status, failure, _ms_since(started), wait_s, said), response.kept

    async def _post(self, posting: Posting, keep: int) -> Response:
        place, private = self._place(posting.url)
        connector = self._private if private else self._public
        if connector is None:
            raise RuntimeError("the sender was not started")
        url = place.request.url
        kept_open = url.scheme != "https" or self._warm.keeps(url.raw_authority, time.monotonic())
        wanted = (place, posting.headers, posting.body, self._connect_s, keep)
        return await post(connector, *wanted, kept_open=kept_open)

    def _placed(self, url: str) -> tuple[Place, bool]:
        """Where the URL is dialled, and whether only inside an operator's network. Raises Forbidden."""
        target = self._guard.target(url)
        return Place.of(target.url), self._guard.needs_private(target) is not None

    def _connector(self, private: str | None) -> aiohttp.BaseConnector:
        return guarded_connector(self._guard, self._lookup, private, _KEEPALIVE_S)


def failure_class(error: Exception) -> Failure:
    """What went wrong, in one word for the log; never the error's text, which may hold what the receiver sent."""
    cause = getattr(error, "os_error", None)
    if isinstance(error, Forbidden) or isinstance(cause, Forbidden):
        return Failure.FORBIDDEN
    for kind, failure in _CLASSES:
        if isinstance(error, kind):
            return failure
    return Failure.PROTOCOL


_CLASSES: Final[tuple[tuple[type[Exception], Failure], ...]] = (
    (aiohttp.ClientConnectorDNSError, Failure.DNS),
    (aiohttp.ClientSSLError, Failure.TLS),
    (TimeoutError, Failure.TIMEOUT),
    (aiohttp.ClientConnectorError, Failure.CONNECT),
    (aiohttp.ServerDisconnectedError, Failure.DISCONNECTED),
    (aiohttp.ClientPayloadError, Failure.DISCONNECTED),
    (aiohttp.ClientOSError, Failure.DISCONNECTED),
)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)
