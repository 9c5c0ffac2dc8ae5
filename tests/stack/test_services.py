"""The supervisor over real service processes: they are restarted, share their address, and follow what moves."""

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kairan.stack import infrastructure, service
from kairan.stack.proc import identity_of
from kairan.stack.stack import Stack

JOIN = {"source": "search", "reason": "curiosity"}


@asynccontextmanager
async def stack_of(home: Path, *, kafka: str = "tansu", replicas: int = 1, env: dict[str, str] | None = None) -> Any:
    async with Stack(home, services=("membership",), kafka=kafka, mongo="", replicas=replicas, env=env) as stack:
        await stack.wait_ready()
        yield stack


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def join(http: aiohttp.ClientSession, stack: Stack) -> str:
    bearer = {"Authorization": f"Bearer {stack.token('members:write')}"}
    async with http.post(f"{stack.urls['membership']}/v1/members", json=JOIN, headers=bearer) as answer:
        assert answer.status == 201, await answer.text()
        return str((await answer.json())["id"])


async def join_after_resets(stack: Stack) -> str:
    """Until the kernel has buried a killed replica, it may still be given a connection."""
    while True:
        try:
            async with aiohttp.ClientSession() as newcomer:
                return await join(newcomer, stack)
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.02)


async def knows(http: aiohttp.ClientSession, stack: Stack, member: str) -> bool:
    bearer = {"Authorization": f"Bearer {stack.token('members:read')}"}
    async with http.get(f"{stack.urls['membership']}/v1/members/{member}", headers=bearer) as answer:
        return answer.status == 200


def processes(stack: Stack) -> dict[str, Any]:
    status = json.loads(stack.home.status_file.read_text())
    return {one["name"]: one for one in status["processes"]}


def environment(stack: Stack, name: str) -> list[str]:
    return Path(f"/proc/{stack.pid(name)}/environ").read_text().split("\0")


async def until_restarted(stack: Stack, name: str) -> None:
    async with asyncio.timeout(60):
        while not stack.restarts(name):  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_killed_service_is_started_again_at_its_address_and_counted(tmp_path: Path, http):
    async with stack_of(tmp_path / "home") as stack:
        member = await join(http, stack)
        before = processes(stack)["membership-1"]
        os.kill(before["pid"], signal.SIGKILL)
        await until_restarted(stack, "membership-1")
        assert not stack.ready
        await stack.wait_ready()
        after = processes(stack)["membership-1"]
        assert after["pid"] != before["pid"]
        assert (after["restarts"], after["url"]) == (1, before["url"])
        assert await knows(http, stack, member)


async def test_replicas_share_the_services_address_and_each_has_its_own(tmp_path: Path, http):
    async with stack_of(tmp_path / "home", replicas=2) as stack:
        found = [one for one in processes(stack).values() if one["role"] == "membership"]
        assert [one["name"] for one in found] == ["membership-1", "membership-2"]
        assert len({one["url"] for one in found} | {stack.urls["membership"]}) == 3
        for url in (*(one["url"] for one in found), stack.urls["membership"]):
            async with http.get(f"{url}/health/ready") as answer:
                assert answer.status == 200
        os.kill(found[0]["pid"], signal.SIGKILL)
        assert await join_after_resets(stack), "the other replica answers"


async def test_services_are_told_when_the_broker_has_moved(tmp_path: Path, http):
    async with stack_of(tmp_path / "home") as stack:
        address, broker = stack.bootstrap, stack.pid("kafka")
        assert broker is not None
        os.kill(broker, signal.SIGKILL)
        with _seized(int(address.partition(":")[2])):
            await until_restarted(stack, "kafka")
            await until_restarted(stack, "membership-1")
        await stack.wait_ready()
        assert stack.bootstrap != address
        assert f"KAIRAN_KAFKA={stack.bootstrap}" in environment(stack, "membership-1")
        assert await join(http, stack)


async def test_health_and_metrics_move_to_an_address_of_their_own_when_asked(tmp_path: Path, http, monkeypatch):
    monkeypatch.setenv("KAIRAN_OPS_BIND", "127.0.0.1:0")
    async with stack_of(tmp_path / "home") as stack:
        status = json.loads(stack.home.status_file.read_text())
        async with http.get(f"{status['ops_urls']['membership']}/health/ready") as answer:
            assert answer.status == 200
        async with http.get(f"{stack.urls['membership']}/health/ready") as answer:
            assert answer.status == 404


async def test_everything_stops_within_fifteen_seconds_also_a_service_that_hangs(tmp_path: Path):
    async with stack_of(tmp_path / "home") as stack:
        pid = stack.pid("membership-1")
        assert pid is not None
        identity = identity_of(pid)
        os.kill(pid, signal.SIGSTOP)
    assert not identity.alive, "it was killed when its time was up: by itself it never ends"
    assert service.STOP_DEADLINE_S + infrastructure.STOP_DEADLINE_S < 15


def _seized(port: int) -> socket.socket:
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > deadline:
                raise
