"""Who sends: one process for an endpoint, another when that one is killed, and the same ids whoever sends."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from kairan.stack.ports import free_port
from services.notify.attempts import Attempts
from shared.bus.outbox import shard_of
from tests.services.notify.receiver import Delivered, Receiver, receiving
from tests.services.notify.world import Register, World, joined


@dataclass
class Process:
    """A process of the service of its own; `http` speaks to it alone."""

    child: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def leads(self) -> set[int]:
        """The shards that it sends for, once there are any."""
        async with asyncio.timeout(60):
            while True:
                try:
                    lanes = (await self.http.get("/health/stream")).json()["checks"]["lanes"]
                except (httpx.TransportError, KeyError):
                    lanes = {"leads": []}
                if lanes["leads"]:
                    return {int(name.rsplit("-")[-1]) for name in lanes["leads"]}
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self.child.returncode is None:
            self.child.kill()
            await self.child.wait()


@asynccontextmanager
async def process(world: World, instance: str) -> AsyncIterator[Process]:
    port, settings = free_port(), world.settings
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"from services.notify.app import build, run; run(lambda: build(database={world.database!r}))",
        env={
            **{name: value for name, value in os.environ.items() if not re.match("KAIRAN_", name)},
            "KAIRAN_KAFKA": settings.kafka,
            "KAIRAN_MONGO": settings.mongo,
            "KAIRAN_BIND": f"127.0.0.1:{port}",
            "KAIRAN_INSTANCE": instance,
            "KAIRAN_JWKS_FILE": str(settings.jwks_file),
            "KAIRAN_NOTIFY_SECRETS_KEY_FILE": str(settings.notify_secrets_key_file),
            "KAIRAN_NOTIFY_ALLOW_PRIVATE": "127.0.0.0/8",
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        running = Process(child, client)
        try:
            yield running
        finally:
            await running.kill()


async def endpoint_in(shards: set[int], register: Register, receiver: Receiver, notify: httpx.AsyncClient) -> str:
    """Makes an endpoint whose random id lies in one of the shards."""
    while shard_of(endpoint := await register(receiver, "member-joined", identifiers="real")) not in shards:
        await notify.delete(f"/v1/endpoints/{endpoint}")
    return endpoint


async def test_a_killed_senders_endpoints_are_taken_over_and_what_was_in_flight_keeps_its_id(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    killed = asyncio.Event()

    async def answer(_: Delivered) -> int:
        await killed.wait()
        return 200

    async with receiving(answer) as receiver, receiving() as elsewhere, process(world, "notify-2") as other:
        shards = await other.leads()
        assert shards != set(range(8))
        await endpoint_in(set(range(8)) - shards, register, elsewhere, notify)
        await endpoint_in(shards, register, receiver, notify)
        joins = [joined() for _ in range(20)]
        await world.publish(*joins)
        in_flight = {one.id for one in await receiver.until(lambda found: len(found) == 2)}
        await elsewhere.about(*(join.envelope.subject for join in joins))
        await other.kill()
        killed.set()
        received = await receiver.until(lambda found: len(found) >= 22 and len({one.id for one in found}) == 20)
    assert len(received) == 22
    assert len({one.event["subject"] for one in received}) == 20
    assert in_flight == {one.id for one in received if [each.id for each in received].count(one.id) == 2}
    assert {one.sequence for one in received} == set(range(1, 21))


async def test_two_processes_that_plan_at_once_number_densely(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver, world.running("notify-3") as other:
        await register(receiver, "member-joined", identifiers="real")
        await consuming(other)
        joins = [joined() for _ in range(300)]
        await world.publish(*joins)
        async with saying_how_they_are(notify, other):
            await receiver.about(*(join.envelope.subject for join in joins))
        numbers = {(one.id, one.sequence) for one in receiver.received}  # what is sent again keeps its number
        assert sorted(sequence for _, sequence in numbers) == list(range(1, 301))


@asynccontextmanager
async def saying_how_they_are(*processes: httpx.AsyncClient) -> AsyncIterator[None]:
    """Adds what the processes report to the error of a wait that was in vain."""
    try:
        yield
    except TimeoutError as error:
        for process in processes:
            error.add_note((await process.get("/health/stream")).text)
        raise


async def consuming(process: httpx.AsyncClient) -> None:
    """Returns when the process has partitions of its own."""
    async with asyncio.timeout(60):
        while not (await process.get("/health/stream")).json()["checks"]["consumer-notify"]["partitions"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_what_a_lane_may_not_send_now_it_tries_again_soon(
    register: Register, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a busy machine renews a lease late: nobody else has taken it, so nobody else wakes the lane."""
    attempt, refused = Attempts.__call__, set[str]()

    async def refuse_once(self: Attempts, delivery: Any, *rest: Any) -> bool:
        if delivery.id in refused:
            return await attempt(self, delivery, *rest)
        refused.add(delivery.id)
        return False

    monkeypatch.setattr(Attempts, "__call__", refuse_once)
    async with receiving() as receiver:
        await register(receiver, "member-joined")
        await world.publish(joined())
        await receiver.until(lambda found: len(found) == 1, timeout_s=120)
        assert receiver.received[0].id in refused


async def test_a_process_that_is_told_to_stop_ends_well_although_a_receiver_hangs(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def hang(_: Delivered) -> int:
        await asyncio.Event().wait()
        return 200

    async with receiving(hang) as receiver, process(world, "notify-4") as other:
        await endpoint_in(await other.leads(), register, receiver, notify)
        await world.publish(joined())
        await receiver.until(lambda found: len(found) == 1)
        other.child.terminate()
        async with asyncio.timeout(60):
            assert await other.child.wait() == 0
