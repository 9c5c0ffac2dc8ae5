"""`kairan deliveries` against a running notify: find what failed, see why, send it again, pull it, skip it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from aiohttp import web

from kairan.cli.main import main
from tests.services.notify.receiver import Delivered, Receiver, receiving
from tests.services.notify.world import SCOPES, World, joined


class Done(NamedTuple):
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Kairan = Callable[..., Awaitable[Done]]


@pytest.fixture
async def kairan(
    notify: httpx.AsyncClient,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> AsyncIterator[Kairan]:
    """The command, in a home whose notify is this test's."""
    (tmp_path / "keys").symlink_to(world.folder)
    async with over_http(notify) as url:
        monkeypatch.setenv("KAIRAN_PORTAL_URL", url)
        monkeypatch.setenv("KAIRAN_HOME", str(tmp_path))

        def run(words: tuple[str, ...]) -> int:
            try:
                main(["deliveries", *words])
            except SystemExit as ended:
                return int(ended.code or 0)
            return 0

        async def kairan(*words: str) -> Done:
            capsys.readouterr()
            code = await asyncio.to_thread(run, words)
            return Done(code, *capsys.readouterr())

        yield kairan


@asynccontextmanager
async def over_http(notify: httpx.AsyncClient) -> AsyncIterator[str]:
    """The address at which the notify inside this process answers others."""

    async def pass_on(request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        answer = await notify.request(request.method, request.path_qs, headers=headers, content=await request.read())
        return web.Response(status=answer.status_code, body=answer.content, content_type="application/json")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def operators(notify: httpx.AsyncClient, world: World, receiver: Receiver) -> str:
    """An endpoint of the one who uses the command."""
    headers = world.caller(*SCOPES, subject="operator")
    wish = {"url": receiver.url, "event_types": ["member-joined"]}
    made = (await notify.post("/v1/endpoints", json=wish, headers=headers)).json()
    receiver.secret = made["secret"]
    return str(made["id"])


async def test_an_operator_finds_sees_replays_pulls_and_skips(
    kairan: Kairan, notify: httpx.AsyncClient, world: World
) -> None:
    broken = True

    async def answer(_: Delivered) -> web.StreamResponse:
        return web.Response(status=500, text="\x1b[2Jout of order") if broken else web.Response(status=204)

    async with receiving(answer) as receiver:
        endpoint = await operators(notify, world, receiver)
        await world.publish(joined(), joined())
        await rows(kairan, endpoint, "--state", "exhausted", count=2)
        assert await rows(kairan, endpoint, "--status", "404", count=0) == []
        failed = await rows(kairan, endpoint, "--status", "5xx", "--type", "member-*", count=2)
        listed = await kairan("list", "--endpoint", endpoint, "--limit", "1")
        assert (listed.code, len(listed.out.splitlines())) == (0, 2)
        assert "\nmore: --after " in listed.out
        shown = await kairan("show", failed[0]["id"])
        assert "\\x1b[2Jout of order" in shown.out
        assert "\x1b" not in shown.out
        assert '"type": "kairan.member-joined.v1"' in shown.out
        unasked = await kairan("replay", failed[0]["id"])
        assert (unasked.code, "1 deliveries would be sent again" in unasked.err) == (2, True)
        assert (await kairan("replay", "--state", "exhausted", "--yes")).code == 2
        assert (await kairan("replay", failed[0]["id"], "--since", "1", "--yes")).code == 2
        broken = False
        done = await kairan("replay", "--endpoint", endpoint, "--state", "exhausted", "--yes", "--json")
        assert (done.code, done.json()["preview"]["count"], done.json()["replay"]["replayed"]) == (0, 2, 2)
        await rows(kairan, endpoint, "--state", "delivered", count=2)
        nothing = await kairan("replay", "--endpoint", endpoint, "--state", "exhausted")
        assert (nothing.code, nothing.out) == (0, "nothing to send\n")
        pulled = await kairan("pull", endpoint, "--after", "1", "--json")
        assert [one["sequence"] for one in pulled.json()["events"]] == [2]
        assert pulled.json()["events"][0]["payload"] == received(receiver, 2).event
        assert (await kairan("pull", endpoint)).out.endswith("up to 2 of 2\n")
        ended = await kairan("skip", failed[0]["id"])
        assert (ended.code, "The delivery has ended" in ended.err or "Only one that waits" in ended.err) == (1, True)
        assert (await kairan("show", "msg_0")).code == 1
        await notify.delete(f"/v1/endpoints/{endpoint}", headers=world.caller(*SCOPES, subject="operator"))


def received(receiver: Receiver, sequence: int) -> Delivered:
    return next(one for one in receiver.received if one.sequence == sequence)


async def rows(kairan: Kairan, endpoint: str, *words: str, count: int) -> list[dict[str, Any]]:
    """What `list` finds of an endpoint, once there are so many."""
    async with asyncio.timeout(90):
        while True:
            done = await kairan("list", "--endpoint", endpoint, "--json", *words)
            assert done.code == 0, done.err
            found: list[dict[str, Any]] = done.json()["deliveries"]
            if len(found) == count:
                return found
            await asyncio.sleep(0.1)
