"""A broker that is away, a group that Kafka forgot, a replica that dies: late is allowed, lost and doubled are not."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kairan.stack.stack import Stack
from services.metrics.app import rebuild
from services.metrics.settings import Settings
from shared.bus.topics import GROUPS
from tests.conftest import Missing
from tests.faults.crowd import Crowd
from tests.faults.proof import SCOPES, Receiver, counted, holds, subscribe, until

_RATE = 200.0


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Stack]:
    """One stack for all outages from which it recovers by itself: what holds at the end holds of everybody."""
    if missing.apache:
        pytest.skip(missing.apache)
    async with Stack(tmp_path_factory.mktemp("outages") / "home", kafka="apache", say=print) as stack:
        await stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
async def receiver(stack: Stack) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    await subscribe(stack, receiver)
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> Crowd:
    """All who join in this module, but for the stack of two replicas."""
    return _crowd(stack)


def _crowd(stack: Stack) -> Crowd:
    return Crowd(lambda: stack.urls["membership"], stack.token(*SCOPES, expires_in_s=3600))


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(900)
async def test_joins_are_accepted_while_the_broker_is_away(
    stack: Stack, crowd: Crowd, receiver: Receiver, full: bool, tell: Callable[[str], None]
) -> None:
    """The broker hangs (SIGSTOP: nothing restarts it), joins go on, then everything arrives in order."""
    seconds = 120.0 if full else 20.0
    before = await holds(stack, crowd, receiver)
    broker = stack.pid("kafka")
    assert broker is not None
    os.kill(broker, signal.SIGSTOP)
    try:
        await crowd.join_for(seconds, _RATE)
        assert len(crowd.members) == before["joins"] + int(seconds * _RATE)
        assert (await counted(stack))["joins"] == before["joins"]
    finally:
        os.kill(broker, signal.SIGCONT)
    tell(f"{seconds:g} s without a broker: {await holds(stack, crowd, receiver)}")


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(600)
async def test_groups_whose_offsets_kafka_lost_apply_and_send_nothing_twice(
    stack: Stack, crowd: Crowd, receiver: Receiver
) -> None:
    await crowd.join_for(5.0, _RATE)
    before = await holds(stack, crowd, receiver)
    await _forget_groups(stack)
    await crowd.join_for(2.0, _RATE)
    after = await holds(stack, crowd, receiver)
    more = {name: after[name] - before[name] for name in ("joins", "webhook_requests")}
    assert more["webhook_requests"] == more["joins"], "something was sent twice"


async def _forget_groups(stack: Stack) -> None:
    """Freezes the consumers until Kafka gives them up, deletes their groups and lets them go on."""
    pids = [pid for group in GROUPS if (pid := stack.pid(f"{group}-1")) is not None]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        admin = AdminClient({"bootstrap.servers": stack.bootstrap})
        left = set(GROUPS)

        async def all_deleted() -> bool:
            for group in tuple(left):
                if await asyncio.to_thread(_deleted, admin, group):
                    left.discard(group)
            return not left

        await until(all_deleted, lambda: f"{left} are still alive for Kafka")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    await stack.wait_ready()


def _deleted(admin: AdminClient, group: str) -> bool:
    try:
        admin.delete_consumer_groups([group])[group].result()
    except KafkaException:
        return False
    return True


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(600)
async def test_a_rebuild_while_joins_arrive_sends_nothing_again(stack: Stack, crowd: Crowd, receiver: Receiver) -> None:
    await crowd.join_for(4.0, _RATE)
    before = await holds(stack, crowd, receiver)
    joining = asyncio.create_task(crowd.join_for(6.0, _RATE))
    report = await rebuild(_settings(stack))
    await joining
    assert report.generation == 2
    after = await holds(stack, crowd, receiver)
    assert after["webhook_requests"] - before["webhook_requests"] == after["joins"] - before["joins"]
    live = await _read_models(stack, crowd)
    again = await rebuild(_settings(stack))
    assert again.generation == 3
    assert await _read_models(stack, crowd) == live


def _settings(stack: Stack) -> Settings:
    return Settings.model_validate({"kafka": stack.bootstrap, "mongo": stack.mongo_uri, "kafka_kind": stack.kind})


async def _read_models(stack: Stack, crowd: Crowd) -> dict[str, Any]:
    """What the API says of the community once it has heard of everybody's join and leave, whenever it is said: a new
    hour or day begins without a join."""
    found: dict[str, Any] = {}
    headers = {"Authorization": f"Bearer {stack.token(*SCOPES)}"}

    async def all_heard() -> bool:
        for path in ("joins?by=hour", "joins?by=day", "members", "publications"):
            async with http.get(f"{stack.urls['metrics']}/v1/{path}") as answer:
                assert answer.status == 200
                content = await answer.json()
                found[path] = {key: content[key] for key in content.keys() - {"revision", "as_of", "rows"}}
                found[path]["rows"] = [row for row in content.get("rows", ()) if row["joins"]]
        joined = (found["members"]["members"], found["publications"]["joins"])
        return joined == (len(crowd.members) - len(crowd.left), len(crowd.members))

    async with aiohttp.ClientSession(headers=headers) as http:
        await until(all_heard, lambda: f"{len(crowd.members)} joined and {len(crowd.left)} left, but {found}")
    return found


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(600)
async def test_two_replicas_of_everything_and_one_of_each_is_killed(tmp_path: Path, missing: Missing) -> None:
    if missing.apache:
        pytest.skip(missing.apache)
    receiver = Receiver()
    async with Stack(tmp_path / "home", kafka="apache", replicas=2) as stack:
        await stack.wait_ready()
        await receiver.start()
        await subscribe(stack, receiver)
        crowd = _crowd(stack)
        joining = asyncio.create_task(crowd.join_for(10.0, _RATE))
        for service in ("metrics", "notify", "membership"):

            async def some(count: int = len(crowd.members) + 300) -> bool:
                return len(crowd.members) >= count

            await until(some, lambda: "joins go on")
            pid = stack.pid(f"{service}-1")
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        await joining
        await stack.wait_ready()
        await holds(stack, crowd, receiver)
        live = await _read_models(stack, crowd)
        await rebuild(_settings(stack))
        assert await _read_models(stack, crowd) == live
    await receiver.stop()
