"""A running notify with its broker and database, receivers, a publisher: what every measure is made with."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
import numpy.typing as npt
import psutil  # type: ignore[import-untyped]

from benchmarks.child import answer_of
from benchmarks.cpu import Meter
from benchmarks.scale import CouldNotRun, Scale
from benchmarks.webhooks.signatures import verified
from benchmarks.webhooks.street import Behaviour, Street
from kairan.stack.stack import Stack
from shared.bus.outbox import SHARDS
from shared.store.mongo import Store

SCOPES: Final = ("endpoints:read", "endpoints:write", "endpoints:trusted", "endpoints:admin")
JOINED: Final = "member-joined"
_AT_ONCE: Final = 16
_LOOK_S: Final = 0.1
_SETTLED_LOOK_S: Final = 0.5


class Stuck(CouldNotRun):
    """Deliveries that were expected did not come in time."""


@dataclass(frozen=True)
class Published:
    """A load: `times[n]` is when event `first + n` was published (CLOCK_MONOTONIC, s)."""

    first: int
    names: Sequence[str]
    times: npt.NDArray[np.float64]
    seconds: float
    cpu_s: float

    def numbers(self, name: str) -> npt.NDArray[np.int64]:
        """The numbers of the events with this name."""
        numbers = np.arange(self.first, self.first + len(self.times), dtype=np.int64)
        names = np.array(self.names)
        found: npt.NDArray[np.int64] = numbers[names[numbers % len(names)] == name]
        return found


@dataclass
class Town:
    """`secrets` and `ids` are the endpoints', by the number of their receiver."""

    stack: Stack
    street: Street
    http: aiohttp.ClientSession
    store: Store
    folder: Path
    secrets: dict[int, str] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    _receivers: int = 0
    _events: int = 0

    async def settle_in(
        self, behaviours: Sequence[Behaviour], names: Sequence[Sequence[str]], **fields: Any
    ) -> list[int]:
        """Opens receivers and registers an endpoint for each, which hears `names[i]`; the receivers' numbers."""
        urls = await self.street.open(behaviours)
        numbers = list(range(self._receivers, self._receivers + len(urls)))
        self._receivers += len(urls)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def register(number: int, url: str, heard: Sequence[str]) -> None:
            body = {"url": url, "event_types": list(heard), **fields}
            async with gate, self.http.post(f"{self._api}/endpoints", json=body) as answer:
                if answer.status != 201:
                    raise Stuck(f"an endpoint was refused: {await answer.text()}")
                made = await answer.json()
            self.ids[number], self.secrets[number] = made["id"], made["secret"]

        await asyncio.gather(*(register(*each) for each in zip(numbers, urls, names, strict=True)))
        return numbers

    async def move_out(self, receivers: Sequence[int]) -> None:
        """Deletes the endpoints of these receivers."""
        for number in receivers:
            async with self.http.delete(f"{self._api}/endpoints/{self.ids[number]}") as answer:
                answer.raise_for_status()

    async def publish(
        self, count: int, *, rate: float | None = None, names: Sequence[str] = (JOINED,), keys: int = 1_000
    ) -> Published:
        """Publishes events numbered on from the last; returns when the broker has them all."""
        first, self._events = self._events, self._events + count
        spec = {
            "bootstrap": self.stack.bootstrap,
            "names": names,
            "first": first,
            "count": count,
            "rate": rate,
            "keys": keys,
            "times": str(self.folder / f"times-{first}"),
        }
        answer = await answer_of("benchmarks.webhooks.publisher", spec, within_s=count / (rate or count) + 120)
        times = np.fromfile(str(spec["times"]), dtype=np.float64)
        return Published(first, names, times, answer["seconds"], answer["cpu_s"])

    async def taken(self, count: int, within_s: float) -> None:
        """Returns when receivers have taken `count` deliveries since their notes began. Raises Stuck."""
        deadline = time.monotonic() + within_s
        while (seen := (await self.street.counts())["taken"]) < count:
            if time.monotonic() > deadline:
                raise Stuck(f"{seen} of {count} deliveries within {within_s:g} s")
            await asyncio.sleep(_LOOK_S)

    async def settled(self, waiting: int = 0, within_s: float = 60) -> None:
        """Returns when no more than `waiting` deliveries wait: what was taken is written down too. Raises Stuck."""
        deadline = time.monotonic() + within_s
        while (seen := await self.waiting()) > waiting:
            if time.monotonic() > deadline:
                raise Stuck(f"{seen} deliveries still wait after {within_s:g} s, such as {await self._one_waiting()}")
            await asyncio.sleep(_SETTLED_LOOK_S)

    async def waiting(self) -> int:
        return int(await self.store.collection("deliveries").count_documents({"state": "waiting"}))

    async def _one_waiting(self) -> object:
        shown = {"_id": 0, "sequence": 1, "made": 1, "next_at_ms": 1, "attempts": 1}
        return await self.store.collection("deliveries").find_one({"state": "waiting"}, shown)

    async def log(self, receiver: int, **query: str) -> list[dict[str, Any]]:
        """The newest deliveries of a receiver's endpoint, as the API shows them."""
        params = {"endpoint": self.ids[receiver], **query}
        async with self.http.get(f"{self._api}/deliveries", params=params) as answer:
            answer.raise_for_status()
            found: list[dict[str, Any]] = (await answer.json())["deliveries"]
            return found

    def meter(self) -> Meter:
        names = {"notify": "notify-1", "mongod": "mongo", "Kafka": "kafka"}
        return Meter({part: self.stack.pid(name) for part, name in names.items()})

    def memory_mb(self, name: str = "notify-1") -> float:
        """What a process holds now (RSS)."""
        return float(psutil.Process(self.stack.pid(name)).memory_info().rss) / 1e6

    def check_samples(self) -> int:
        """Has both libraries judge the sampled requests; how many. Raises when one is refused."""
        samples, self.street.samples = self.street.samples, []
        return verified(samples, self.secrets)

    @property
    def _api(self) -> str:
        return f"{self.stack.urls['notify']}/v1"


@asynccontextmanager
async def town(scale: Scale, name: str, env: Mapping[str, str] | None = None) -> AsyncIterator[Town]:
    """A town of its own for one measure, thrown away afterwards; `env` is told to notify."""
    async with AsyncExitStack() as exits:
        home = scale.home(f"webhooks-{name}")
        told = {"KAIRAN_NOTIFY_MOST_ENDPOINTS": "100000", **(env or {})}
        stack = await exits.enter_async_context(
            Stack(home, kafka="apache", mongo="", services=("notify",), env=told, say=scale.say)
        )
        await stack.wait_ready()
        headers = {"Authorization": f"Bearer {stack.token(*SCOPES, expires_in_s=6 * 3600)}"}
        http = await exits.enter_async_context(aiohttp.ClientSession(headers=headers))
        await _leading(http, stack.urls["notify"])
        folder = scale.home(f"notes-{name}")
        folder.mkdir(parents=True)
        street = await exits.enter_async_context(Street(folder))
        store = Store(stack.mongo_uri, "kairan_notify", app_name="bench-webhooks", pool=2)
        exits.push_async_callback(store.close)
        yield Town(stack, street, http, store, folder)


async def _leading(http: aiohttp.ClientSession, url: str) -> None:
    """Returns when the process leads every shard."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"{url}/health/stream") as answer:
                if len((await answer.json(content_type=None))["checks"]["lanes"]["leads"]) == SHARDS:
                    return
            await asyncio.sleep(_LOOK_S)
