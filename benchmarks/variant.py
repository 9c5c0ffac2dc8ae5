"""Processes of `benchmarks.processes.membership` beside a stack: spawned with its surroundings, ready when entered."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from kairan.stack.child import Child
from kairan.stack.errors import StartFailed
from kairan.stack.ports import LOOPBACK, free_port
from kairan.stack.stack import Stack
from shared.bus.outbox import SHARDS


@dataclass(frozen=True)
class Variant:
    """A running process."""

    url: str
    pid: int


@asynccontextmanager
async def variant(stack: Stack, kind: str) -> AsyncIterator[Variant]:
    """`kind` of `benchmarks.processes.membership.VARIANTS`; it is stopped when the block ends."""
    port = free_port()
    env = {
        **os.environ,
        "KAIRAN_KAFKA": stack.bootstrap,
        "KAIRAN_KAFKA_KIND": stack.kind,
        "KAIRAN_MONGO": stack.mongo_uri,
        "KAIRAN_INSTANCE": f"bench-{kind}",
        "KAIRAN_BIND": f"{LOOPBACK}:{port}",
        "KAIRAN_JWKS_FILE": str(stack.home.jwks_file),
    }
    command = [sys.executable, "-P", "-m", "benchmarks.processes.membership", kind]
    child = Child(kind, command, stack.home.logs / f"{kind}.log", env)
    try:
        url = f"http://{LOOPBACK}:{port}"
        await _serving(url, child, leads=kind != "http")
        yield Variant(url, child.pid)
    finally:
        await child.stop(10)


async def _serving(url: str, child: Child, *, leads: bool) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http, asyncio.timeout(60):
        while not await _is_serving(http, url, leads):
            if not child.alive:
                raise StartFailed(f"{child.name} ended; see {child.log}")
            await asyncio.sleep(0.1)


async def _is_serving(http: aiohttp.ClientSession, url: str, leads: bool) -> bool:
    try:
        async with http.get(f"{url}/health/ready") as answer:
            if answer.status != 200:
                return False
        async with http.get(f"{url}/health/stream") as answer:
            relay = (await answer.json(content_type=None))["checks"]["relay"]
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
    return not leads or len(relay["leads"]) == SHARDS
