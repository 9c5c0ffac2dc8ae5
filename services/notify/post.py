"""One POST on a connection of aiohttp's connector: written in one piece, its answer read by aiohttp's own parser.

A client session would do the same for three times the CPU (measured): it is made for redirects, cookies, proxies,
compression and uploads, of which a webhook has none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawResponseMessage
from aiohttp.streams import StreamReader
from yarl import URL

from services.notify.outcome import failure_of

MOST_ANSWER_BYTES: Final = 64 * 1024
MOST_HEADER_BYTES: Final = 16 * 1024
MOST_KEPT_BYTES: Final = 16 * 1024
USER_AGENT: Final = "Kairan"
_MOST_HEADERS: Final = 64
_NEVER_ROUND_UP_S: Final = 60.0
_SWITCHING: Final = 101


@dataclass(frozen=True)
class Place:
    """Where requests to one URL go, and how each of them begins."""

    request: aiohttp.ClientRequest
    head: str

    @classmethod
    def of(cls, url: str) -> "Place":
        """`url` as the guard wrote it: nothing in it is left to be quoted."""
        request = aiohttp.ClientRequest("POST", URL(url, encoded=True))
        head = (
            f"POST {request.url.raw_path_qs} HTTP/1.1\r\nHost: {request.headers['Host']}\r\n"
            f"User-Agent: {USER_AGENT}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        )
        return cls(request, head)


@dataclass(frozen=True)
class Response:
    """What was answered; `retry_after` is that header's text, `kept` the first bytes of its body."""

    status: int
    retry_after: str | None
    content_type: str
    kept: bytes


async def post(
    connector: aiohttp.BaseConnector,
    place: Place,
    headers: Mapping[str, str],
    body: bytes,
    connect_s: float,
    keep: int = 0,
    *,
    kept_open: bool = True,
) -> Response:
    """Sends and reads to the end of the answer, or as much of it as is allowed; the caller bounds the time.

    `keep` bytes of a 2xx answer's body are kept at most; the connection is `kept_open` for the next request.

    Raises aiohttp.ClientError, OSError, ValueError: for what the network or the receiver does.
    """
    wanted = _request(place, headers, body)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_s, ceil_threshold=_NEVER_ROUND_UP_S)
    connection = await connector.connect(place.request, [], timeout)
    try:
        response = await _exchange(connection, wanted, keep)
    except HttpProcessingError as error:
        connection.close()
        raise ValueError("not HTTP") from error
    except BaseException:
        connection.close()
        raise
    if kept_open:
        connection.release()  # which closes it, where there is more to come or the receiver wants it so
    else:
        connection.close()
    return response


def _request(place: Place, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if not len(headers) == lines.count("\r") == lines.count("\n"):
        raise ValueError("a header holds a line break")
    return f"{place.head}{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _exchange(connection: Connection, wanted: bytes, keep: int) -> Response:
    protocol, transport = connection.protocol, connection.transport
    if protocol is None or transport is None:
        raise aiohttp.ServerDisconnectedError
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        read_bufsize=MOST_ANSWER_BYTES // 2,
        max_line_size=MOST_HEADER_BYTES // 2,
        max_field_size=MOST_HEADER_BYTES // 2,
        max_headers=_MOST_HEADERS,
    )
    transport.write(wanted)
    message, payload = await protocol.read()
    while 100 <= message.code < 200 and message.code != _SWITCHING:
        message, payload = await protocol.read()
    _refuse_many_headers(message)
    kept = await _read_some(payload, keep if failure_of(message.code) is None else MOST_KEPT_BYTES)
    return Response(message.code, message.headers.get("Retry-After"), message.headers.get("Content-Type", ""), kept)


def _refuse_many_headers(message: RawResponseMessage) -> None:
    """The parser bounds their number and each one's size; their sum is ours to bound. Raises ValueError."""
    if sum([len(name) + len(value) for name, value in message.raw_headers]) > MOST_HEADER_BYTES:
        raise ValueError(f"more than {MOST_HEADER_BYTES} bytes of headers")


async def _read_some(payload: StreamReader, keep: int) -> bytes:
    """Reads the answer to its end, so that the connection can be used again; one that goes on is cut off.

    What comes back are its first `keep` bytes.
    """
    left, kept = MOST_ANSWER_BYTES, b""
    while left > 0 and (chunk := await payload.read(left)):
        left -= len(chunk)
        if len(kept) < keep:
            kept += chunk[: keep - len(kept)]
    return kept
