"""Replicas of metrics in this process, on real sockets, a real broker and a real database; and facts sent to them."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from services.metrics.app import build
from shared.catalogue import Event, encode
from shared.settings import Address, ServiceSettings
from shared.store.mongo import Store
from shared.web.serve import open_sockets, serving
from shared.web.service import ServiceApp
from shared.web.tokens import SigningKey, ensure_keys, issue, issue_link

PATIENCE_S = 120.0  # CI has fewer cores and more to do: what must come may come late
ON_APACHE = pytest.mark.parametrize("metrics", ["apache"], indirect=True)
ON_BOTH = pytest.mark.parametrize("metrics", ["apache", "tansu"], indirect=True)


@dataclass
class Replica:
    """One running process' worth of metrics."""

    http: httpx.AsyncClient
    service: ServiceApp
    url: str
    _exits: AsyncExitStack

    async def stop(self) -> None:
        """A graceful stop."""
        await self._exits.aclose()


@dataclass
class Metrics:
    """A database of metrics, its replicas, and the broker that they hear."""

    bootstrap: str
    kafka_kind: Literal["apache", "tansu"]
    mongo_uri: str
    keys: Path
    key: SigningKey
    store: Store
    producer: AIOKafkaProducer
    replicas: list[Replica] = field(default_factory=list)

    def settings(self, instance: str, **settings: Any) -> ServiceSettings:
        return ServiceSettings(
            mongo=self.mongo_uri,
            kafka=self.bootstrap,
            kafka_kind=self.kafka_kind,
            jwks_file=self.keys / "jwks.json",
            instance=instance,
            **{"bind": Address("127.0.0.1", 0), **settings},
        )

    def bearer(self, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {issue(self.key, 'reader', scopes)}"}

    def link(self, expires_in_s: float = 600) -> str:
        return f"/enter?code={issue_link(self.key, expires_in_s)}"

    async def replica(self, **settings: Any) -> Replica:
        """Starts one more; its client has `growth:read`."""
        service = build(self.settings(f"metrics-{uuid.uuid4().hex[:8]}", **settings), self.store.name)
        exits = AsyncExitStack()
        http = await exits.enter_async_context(
            httpx.AsyncClient(timeout=PATIENCE_S, headers=self.bearer("growth:read"))
        )
        sockets = open_sockets(service.settings)
        host, port = sockets.api[0].getsockname()[:2]
        url = f"http://{host}:{port}"
        starting = await exits.enter_async_context(serving(service, sockets))
        await starting
        http.base_url = httpx.URL(url)
        replica = Replica(http, service, url, exits)
        self.replicas.append(replica)
        return replica

    async def send(self, events: Iterable[Event]) -> None:
        """Publishes facts as the other services do; returns when the broker has them."""
        sent = []
        for event in events:
            record = encode(event)
            sent.append(await self.producer.send(record.topic, record.value, record.key, headers=record.headers))
        await asyncio.gather(*sent)


async def until(ask: Callable[[], Awaitable[Any]], says: Callable[[Any], bool], timeout_s: float = PATIENCE_S) -> Any:
    """Asks until the answer says so; the last answer stands in the failure."""
    answer: Any = None
    try:
        async with asyncio.timeout(timeout_s):
            while not says(answer := await ask()):  # noqa: ASYNC110  over HTTP nothing rings
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"still not so: {answer}") from None
    return answer


async def leader_of(replicas: Sequence[Replica]) -> Replica:
    """The one of them that evaluates, once it does and the others stand by."""

    async def roles() -> list[str]:
        return [(await one.http.get("/health/stream")).json()["checks"]["evaluate"]["role"] for one in replicas]

    settled = ["leader", *["standby"] * (len(replicas) - 1)]
    return replicas[(await until(roles, lambda said: sorted(said) == settled)).index("leader")]


async def ledger(replica: Replica) -> Any:
    answer = await replica.http.get("/v1/publications")
    assert answer.status_code == 200, answer.text
    return answer.json()


@dataclass(frozen=True)
class Message:
    """One server-sent event."""

    id: int
    event: str
    data: Any


@asynccontextmanager
async def streamed(replica: Replica, last: int | None = None) -> AsyncIterator[AsyncIterator[Message]]:
    """The messages of /v1/stream, as a browser that has seen `last` gets them."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": str(last)} if last is not None else {})
    async with replica.http.stream("GET", "/v1/stream", headers=headers, timeout=PATIENCE_S) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _messages(answer.aiter_lines())


async def _messages(lines: AsyncIterator[str]) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif fields.get("data"):
            yield Message(int(fields["id"]), fields["event"], orjson.loads(fields["data"]))
            fields = {}


def keys_in(folder: Path) -> SigningKey:
    return ensure_keys(folder)
