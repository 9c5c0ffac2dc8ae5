"""The load: joins over HTTP/1.1 on kept connections, as cheap as Python allows; closed loop, or open loop at a rate."""

import asyncio
import time
from collections import deque
from typing import Any

import orjson
import uvloop

from benchmarks.child import tell, told

BODY = orjson.dumps(
    {
        "source": "publication",
        "reason": "work_problem",
        "organisation": "架空市役所",
        "prefecture": "北海道",
        "name": "回覧 花子",
        "introduction": "防災を担当しています。誰かいませんか?",
    }
)


class Connection(asyncio.Protocol):
    """One request at a time; `status` of the answer, 0 when the connection broke."""

    def __init__(self) -> None:
        self._transport: Any = None
        self._received = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if not blank or len(body) < _length(head) or self._answer is None:
            return
        self._received = b""
        self._answer.set_result(int(head[9:12]))

    async def send(self, request: bytes) -> int:
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport.is_closing():
            return 0
        self._transport.write(request)
        return await self._answer


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0])


class Load:
    """Requests, each with a key of its own, and what became of those that were sent after the warm-up."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        lines = [
            "POST /v1/members HTTP/1.1",
            f"Host: {spec['host']}:{spec['port']}",
            f"Authorization: Bearer {spec['token']}",
            "Content-Type: application/json",
            f"Content-Length: {len(BODY)}",
        ]
        self._head = "\r\n".join(lines).encode()
        self._sent = 0
        self.latencies_ms: list[float] = []
        self.acknowledged = self.acknowledged_warm = self.failed = 0
        self.warm_until = 0.0

    def request(self) -> bytes:
        self._sent += 1
        key = b"\r\nIdempotency-Key: %s-%010d" % (self._spec["prefix"].encode(), self._sent)
        return self._head + (key if self._spec["keys"] else b"") + b"\r\n\r\n" + BODY

    async def join(self, connection: Connection, since: float) -> None:
        """One join; its latency counts from `since` (loop time, seconds)."""
        status = await connection.send(self.request())
        took_ms = (time.perf_counter() - since) * 1000
        if status != 201:
            self.failed += 1
            await asyncio.sleep(0.01)
        elif since >= self.warm_until:
            self.acknowledged += 1
            self.latencies_ms.append(took_ms)
        else:
            self.acknowledged_warm += 1

    async def connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._spec["host"], self._spec["port"])
        return connection


async def closed_loop(load: Load, in_flight: int, until: float) -> None:
    """`in_flight` callers, each sending its next join when its last one is answered."""

    async def caller() -> None:
        connection = await load.connect()
        while (now := time.perf_counter()) < until:
            await load.join(connection, now)

    await asyncio.gather(*(caller() for _ in range(in_flight)))


async def open_loop(load: Load, rate: float, until: float) -> None:
    """A join every 1/rate seconds whether or not earlier ones are answered; latency counts from when it was due."""
    free: deque[Connection] = deque()
    flying: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        connection = free.pop() if free else await load.connect()
        await load.join(connection, due)
        free.append(connection)

    due = time.perf_counter()
    while due < until:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(due))
        flying.add(task)
        task.add_done_callback(flying.discard)
        due += 1 / rate
    await asyncio.gather(*flying)


async def _main(spec: dict[str, Any]) -> dict[str, Any]:
    load = Load(spec)
    load.warm_until = time.perf_counter() + spec["warm_s"]
    until = load.warm_until + spec["seconds"]
    if spec.get("rate"):
        await open_loop(load, spec["rate"], until)
    else:
        await closed_loop(load, spec["in_flight"], until)
    seconds = time.perf_counter() - load.warm_until
    return {
        "acknowledged": load.acknowledged,
        "acknowledged_in_all": load.acknowledged + load.acknowledged_warm,
        "failed": load.failed,
        "seconds": seconds,
        "cpu_s": time.process_time(),
        "latencies_ms": [round(one, 3) for one in load.latencies_ms],
    }


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell(runner.run(_main(told())))
