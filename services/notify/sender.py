"""One signed POST to a receiver, and nothing a hostile receiver can do about our time, memory or network."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

import aiohttp
from yarl import URL

from services.notify.address_guard import Guard, guarded_connector
from services.notify.answer_text import answer_text
from services.notify.lookup import Lookup
from services.notify.outcome import Answer, Failure, failure_of
from services.notify.retry import retry_after_s
from services.notify.target import Forbidden

CONNECT_TIMEOUT_S: Final = 5.0
TOTAL_TIMEOUT_S: Final = 15.0
MOST_ANSWER_BYTES: Final = 64 * 1024
MOST_KEPT_BYTES: Final = 16 * 1024
MOST_HEADER_BYTES: Final = 16 * 1024
USER_AGENT: Final = "Kairan"
# Shorter than the 5 s after which common servers close an idle connection, so that we never meet that moment.
_KEEPALIVE_S: Final = 4.0
_NEVER_ROUND_UP_S: Final = 60.0
_PLACES: Final = 10_000


@dataclass(frozen=True)
class Posting:
    """What is sent: `url` as configured (checked again when dialled), headers without our fixed ones, exact body."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Sender(Protocol):
    """Sends one posting. Never raises for what a receiver or the network does: that is an Answer with a failure."""

    async def send(self, posting: Posting) -> Answer: ...


class HttpSender:
    """A Sender over aiohttp: no redirects, no proxies, no cookies, no decompression, 64 KiB of answer at most."""

    name = "sender"

    def __init__(
        self, guard: Guard, lookup: Lookup, *, total_s: float = TOTAL_TIMEOUT_S, connect_s: float = CONNECT_TIMEOUT_S
    ) -> None:
        self._guard = guard
        self._lookup = lookup
        self._total_s = total_s
        self._connect_s = connect_s
        self._public: aiohttp.ClientSession | None = None
        self._private: aiohttp.ClientSession | None = None
        self._place = lru_cache(_PLACES)(self._placed)

    async def start(self) -> None:
        self._public = self._session(private=None)
        self._private = self._session(private="only allowed in a network that the operator names")

    async def stop(self) -> None:
        for session in (self._public, self._private):
            if session is not None:
                await session.close()

    async def send(self, posting: Posting) -> Answer:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._total_s):
                status, wait_s, said = await self._post(posting)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Answer(None, failure_class(error), _ms_since(started))
        return Answer(status, failure_of(status), _ms_since(started), wait_s, said)

    async def _post(self, posting: Posting) -> tuple[int, float | None, str]:
        url, private = self._place(posting.url)
        session = self._private if private else self._public
        if session is None:
            raise RuntimeError("the sender was not started")
        async with session.post(url, data=posting.body, headers=posting.headers, allow_redirects=False) as response:
            _refuse_many_headers(response)
            kept = await _read_some(response, 0 if failure_of(response.status) is None else MOST_KEPT_BYTES)
            wait_s = retry_after_s(response.headers.get("Retry-After"), datetime.now(UTC))
            return response.status, wait_s, answer_text(kept, response.headers.get("Content-Type", ""))

    def _placed(self, url: str) -> tuple[URL, bool]:
        """The URL as it is dialled, and whether only inside an operator's network. Raises Forbidden."""
        target = self._guard.target(url)
        return URL(target.url, encoded=True), self._guard.needs_private(target) is not None

    def _session(self, private: str | None) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=guarded_connector(self._guard, self._lookup, private, _KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_s, ceil_threshold=_NEVER_ROUND_UP_S),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=MOST_ANSWER_BYTES // 2,
            max_line_size=MOST_HEADER_BYTES // 2,
            max_field_size=MOST_HEADER_BYTES // 2,
            max_headers=64,
        )


def _refuse_many_headers(response: aiohttp.ClientResponse) -> None:
    """The parser bounds their number and each one's size; their sum is ours to bound. Raises ValueError."""
    if sum(len(name) + len(value) for name, value in response.raw_headers) > MOST_HEADER_BYTES:
        response.close()
        raise ValueError(f"more than {MOST_HEADER_BYTES} bytes of headers")


async def _read_some(response: aiohttp.ClientResponse, keep: int) -> bytes:
    """Reads the answer to its end, so that the connection can be used again; one that goes on is cut off.

    What comes back are its first `keep` bytes.
    """
    left, kept = MOST_ANSWER_BYTES, b""
    while left > 0:
        chunk = await response.content.read(left)
        if not chunk:
            return kept
        left -= len(chunk)
        if len(kept) < keep:
            kept += chunk[: keep - len(kept)]
    response.close()
    return kept


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
