"""The cluster profile: three brokers and three databases, of which any one of each may be away."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from kairan.stack.wire import broker_count
from tests.containers.compose import PRIVATE, Compose, command, host_address
from tests.containers.engine import SERVICES, image_of, why_no_images
from tests.deploy.compose_file import ROOT, keys
from tests.faults.crowd import Crowd
from tests.faults.proof import SCOPES, Receiver, holds, subscribe, until


@pytest.fixture
async def cluster(engine: None, full: bool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Compose]:
    if not full:
        pytest.skip("containers: three of everything is for `make prove`")
    if command() is None or why_no_images(*map(image_of, SERVICES)):
        pytest.skip("containers: no compose, or no images of ours (`make images`)")
    settings = keys((ROOT / "deploy/compose/cluster.env").read_text()) | PRIVATE
    compose = Compose(f"kairan-test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("cluster"), settings)
    try:
        await compose.up(300)
        yield compose
    finally:
        await asyncio.to_thread(compose.down, "--volumes", "--timeout", "1")


async def _replication(bootstrap: str) -> dict[str, int]:
    """The smallest number of copies that a partition of each topic has."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(list(await admin.list_topics()))
        return {one["topic"]: min(len(part["replicas"]) for part in one["partitions"]) for one in described}
    finally:
        await admin.close()


def _members(compose: Compose) -> list[str]:
    look = "print(rs.status().members.map((one) => one.stateStr).join(' '))"
    return compose.run("exec", "-T", "mongo", "mongosh", "--quiet", "--eval", look).split()


@pytest.mark.prove
@pytest.mark.timeout(900)
async def test_any_one_broker_and_any_one_database_may_be_away(cluster: Compose, tell: Callable[[str], None]) -> None:
    assert await broker_count(cluster.bootstrap) == 3
    replication = await _replication(cluster.bootstrap)
    assert {name: copies for name, copies in replication.items() if copies != 3} == {}
    assert sorted(await asyncio.to_thread(_members, cluster)) == ["PRIMARY", "SECONDARY", "SECONDARY"]

    receiver = Receiver()
    await receiver.start(await asyncio.to_thread(host_address))
    try:
        await subscribe(cluster, receiver)  # type: ignore[arg-type]  it asks for urls and tokens only
        crowd = Crowd(lambda: cluster.urls["membership"], await asyncio.to_thread(cluster.token, *SCOPES))
        for name in ("kafka", "mongo", "kafka-2", "mongo-2", "kafka-3", "mongo-3"):
            await asyncio.to_thread(cluster.run, "stop", "--timeout", "1", name)
            await crowd.join_for(5.0, 10.0)
            await asyncio.to_thread(cluster.run, "start", name)
            await _whole_again(cluster)
        tell(f"each of six away in turn: {await holds(cluster, crowd, receiver)}")  # type: ignore[arg-type]
    finally:
        await receiver.stop()


async def _whole_again(cluster: Compose) -> None:
    async def whole() -> bool:
        if await broker_count(cluster.bootstrap) < 3:
            return False
        return set(await asyncio.to_thread(_members, cluster)) == {"PRIMARY", "SECONDARY"}

    await until(whole, lambda: "three brokers and three databases")
