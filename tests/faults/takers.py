"""Receivers of webhooks that remember, per endpoint, every id with its number and how often it was taken."""

from collections import Counter
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from kairan.stack.stack import Stack
from tests.faults.proof import SCOPES
from tests.services.notify.receiver import Delivered, verify


@dataclass
class Taken:
    """What one endpoint took. Both libraries of receivers judge every delivery."""

    endpoint_id: str
    secret: str
    times: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, set[int]] = field(default_factory=dict)

    @property
    def repeats(self) -> int:
        return self.times.total() - len(self.times)

    def take(self, delivered: Delivered) -> None:
        verify(self.secret, delivered)
        self.times[delivered.id] += 1
        self.numbers.setdefault(delivered.id, set()).add(delivered.sequence)


class Takers:
    """One server for several endpoints, each at a path of its own."""

    def __init__(self) -> None:
        self.by_path: dict[str, Taken] = {}
        self.refused: list[str] = []
        self._runner: web.AppRunner | None = None
        self._url = ""

    @property
    def requests(self) -> int:
        return sum(one.times.total() for one in self.by_path.values())

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{path}", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def subscribe(self, stack: Stack, count: int) -> None:
        """Makes endpoints that hear of every join."""
        headers = {"Authorization": f"Bearer {stack.token(*SCOPES)}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            for n in range(count):
                body = {"url": f"{self._url}/{n}", "event_types": ["member-joined"]}
                async with http.post(f"{stack.urls['notify']}/v1/endpoints", json=body) as answer:
                    assert answer.status == 201, await answer.text()
                    made = await answer.json()
                self.by_path[str(n)] = Taken(made["id"], made["secret"])

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            self.by_path[request.match_info["path"]].take(Delivered(headers, body, {}))
        except Exception as error:
            self.refused.append(repr(error))
            return web.Response(status=400)
        return web.Response(status=204)
