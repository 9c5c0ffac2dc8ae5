"""The receivers, a process of their own, each on a loopback address of its own; every request is noted.

A line of JSON on stdin is a command, its answer a line on stdout:
`{"open": [[kind, argument], …]}` -> `{"urls": […]}`; `{"count": null}` -> `{"taken": N, "requests": N, "cpu_s": S}`;
`{"become": {"N": [kind, argument]}}` -> `{}`; `{"write": [arrivals, samples]}` -> `{}` (files; notes begin anew).
"""

import asyncio
import json
import re
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

import uvloop

from benchmarks.webhooks.arrivals import NOTE
from benchmarks.webhooks.behaviours import Answer, made

_SAMPLE_EVERY: Final = 500
_FIRST_HOST: Final = (127, 0, 1, 1)
_FACTS: Final = re.compile(rb"\r\n(webhook-(?:id|sequence|attempt)|content-length): *([^\r]*)", re.IGNORECASE)
_NUMBER: Final = re.compile(rb'"aggregateversion":(\d+)')
_MOST_BUFFERED: Final = 1 << 20


class Post:
    """One receiver: how it behaves, and the place where it notes what came."""

    def __init__(self, index: int, answer: Answer, desk: "Desk") -> None:
        self.index, self.answer, self.desk = index, answer, desk


class Desk:
    """What all receivers have noted."""

    def __init__(self) -> None:
        self.notes = bytearray()
        self.samples: list[dict[str, Any]] = []
        self.taken = self.requests = 0
        self._pack = struct.Struct(NOTE).pack

    def note(self, post: Post, head: bytes, body: bytes, status: int) -> None:
        facts = {name.lower(): value for name, value in _FACTS.findall(head)}
        number = _NUMBER.search(body)
        self.notes += self._pack(
            time.monotonic(),
            int(number[1]) - 1 if number else -1,
            int(facts[b"webhook-sequence"]),
            int(facts[b"webhook-id"][-16:], 16),
            post.index,
            int(facts[b"webhook-attempt"]),
            status,
        )
        self.requests += 1
        self.taken += 200 <= status < 300
        if self.requests % _SAMPLE_EVERY == 1:
            self.samples.append({"receiver": post.index, "head": head.decode("latin-1"), "body": body.decode()})

    def write(self, arrivals: str, samples: str) -> None:
        Path(arrivals).write_bytes(self.notes)
        Path(samples).write_text(json.dumps(self.samples))
        self.notes.clear()
        self.samples.clear()
        self.taken = self.requests = 0


class Connection(asyncio.Protocol):
    """Reads requests one after another, as cheaply as it can."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int({name.lower(): value for name, value in _FACTS.findall(head)}[b"content-length"])
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            status = self._post.answer(self._transport)
            self._post.desk.note(self._post, head, body, status)
        if len(self._buffer) > _MOST_BUFFERED:
            self._buffer = b""


class Street:
    """All receivers, numbered from 0 in the order in which they were opened."""

    def __init__(self) -> None:
        self._desk = Desk()
        self._posts: list[Post] = []

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        if "open" in command:
            return {"urls": [await self._open(kind, argument) for kind, argument in command["open"]]}
        if "become" in command:
            for index, (kind, argument) in command["become"].items():
                self._posts[int(index)].answer = made(kind, argument)
        if "write" in command:
            self._desk.write(*command["write"])
        return {"taken": self._desk.taken, "requests": self._desk.requests, "cpu_s": time.process_time()}

    async def _open(self, kind: str, argument: Any) -> str:
        index = len(self._posts)
        self._posts.append(post := Post(index, made(kind, argument), self._desk))
        a, b, c, d = _FIRST_HOST
        host = f"{a}.{b}.{c + index // 250}.{d + index % 250}"
        server = await asyncio.get_running_loop().create_server(lambda: Connection(post), host, 0, backlog=512)
        scheme = "https" if kind == "silent TLS" else "http"
        return f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}/hook"


async def _main() -> None:
    street, lines = Street(), asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        print(json.dumps(await street.do(json.loads(line))), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
