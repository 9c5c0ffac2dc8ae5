"""A crowd that joins over HTTP at a steady rate, and repeats each request under its key until it is answered."""

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp

_PATIENCE_S = 120.0


@dataclass
class Crowd:
    """`members` are those whose join was acknowledged; `left` those whose leaving was acknowledged too."""

    url: Callable[[], str]
    token: str
    members: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    repeats: int = 0
    _coming: set[asyncio.Task[None]] = field(default_factory=set)

    async def join_for(self, seconds: float, per_second: float) -> None:
        """Starts joins at the rate, whether or not earlier ones are answered, and waits for all answers."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        async with aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self.token}"},
            connector=aiohttp.TCPConnector(limit=200),
            timeout=aiohttp.ClientTimeout(total=5),
        ) as http:
            for n in range(int(seconds * per_second)):
                await asyncio.sleep(max(0.0, begin + n / per_second - loop.time()))
                task = asyncio.create_task(self._one(http, leaves=n % 10 == 0))
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)
            await asyncio.gather(*self._coming)

    async def _one(self, http: aiohttp.ClientSession, *, leaves: bool) -> None:
        member = await self._until_answered(http, "POST", "/v1/members", {"source": "search"}, expect=201)
        self.members.append(member)
        if leaves:
            await self._until_answered(http, "DELETE", f"/v1/members/{member}", None, expect=200)
            self.left.append(member)

    async def _until_answered(
        self, http: aiohttp.ClientSession, method: str, path: str, body: dict[str, str] | None, *, expect: int
    ) -> str:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    async with http.request(method, self.url() + path, json=body, headers=headers) as answer:
                        if answer.status == expect:
                            return str((await answer.json())["id"])
                        assert answer.status in (429, 503), f"{answer.status}: {await answer.text()}"
                except (aiohttp.ClientError, TimeoutError):
                    pass
                self.repeats += 1
                await asyncio.sleep(random.uniform(0.05, 0.25))
