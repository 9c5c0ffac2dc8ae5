"""`docker compose up` as README says it: the page, a join that arrives, kill -9 of each container, down and up."""

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.containers.compose import PARTS, PRIVATE, Compose, command, host_address, is_local_engine
from tests.containers.engine import SERVICES, image_of, why_no_images
from tests.faults.crowd import Crowd
from tests.faults.proof import SCOPES, Receiver, holds, subscribe

RATE = 50.0


@pytest.fixture(scope="module")
async def compose(engine: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Compose]:
    """A project of the module's own; its volumes go with it."""
    if command() is None:
        pytest.skip("containers: neither `docker compose` nor docker-compose is installed here")
    if why := why_no_images(*map(image_of, SERVICES)):
        pytest.skip(why)
    compose = Compose(f"kairan-test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("compose"), PRIVATE)
    try:
        yield compose
    finally:
        await asyncio.to_thread(compose.down, "--volumes", "--timeout", "1")


@pytest.fixture(scope="module")
async def up_s(compose: Compose) -> float:
    """Seconds until the first `up` was ready."""
    return await compose.up()


@pytest.fixture(scope="module")
async def receiver(compose: Compose, up_s: float) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start(await asyncio.to_thread(host_address))
    await subscribe(compose, receiver)  # type: ignore[arg-type]  it asks for urls and tokens only
    yield receiver
    await receiver.stop()


@pytest.fixture(scope="module")
async def crowd(compose: Compose, up_s: float) -> Crowd:
    """All who join in this module: what holds at the end holds of everybody."""
    return Crowd(lambda: compose.urls["membership"], await asyncio.to_thread(compose.token, *SCOPES))


def test_up_ends_with_every_service_ready(compose: Compose, up_s: float, tell: Callable[[str], None]) -> None:
    for name in (*SERVICES, *PARTS):
        assert compose.inspect(name)["State"]["Running"], name
    for name in ("keys", "topics", "replica-set"):
        assert compose.inspect(name)["State"]["ExitCode"] == 0, name
    tell(f"ready after {up_s:.1f} s")


async def test_the_page_opens_by_the_link(compose: Compose, up_s: float) -> None:
    link = await asyncio.to_thread(compose.page_link)
    async with httpx.AsyncClient(headers={"Accept": "text/html"}, timeout=30) as browser:
        assert (await browser.get(compose.urls["metrics"])).status_code == 401
        page = await browser.get(link, follow_redirects=True)
        assert page.status_code == 200
        assert "data-revision" in page.text


async def test_a_join_reaches_the_webhook_the_log_and_the_counts(
    compose: Compose, crowd: Crowd, receiver: Receiver
) -> None:
    await crowd.join_for(1.0, 10.0)
    await holds(compose, crowd, receiver)  # type: ignore[arg-type]


def test_the_services_are_hardened(compose: Compose, up_s: float) -> None:
    for name in SERVICES:
        about = compose.inspect(name)
        assert about["Config"]["User"] == "10001:10001"
        host = about["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges:true" in host["SecurityOpt"]
        assert host["Memory"] > 0
        assert host["PidsLimit"] > 0
        for ports in host["PortBindings"].values():
            assert {one["HostIp"] for one in ports} == {"127.0.0.1"}


def test_only_who_must_sign_can_read_the_signing_key(compose: Compose, up_s: float) -> None:
    can = {name for name in SERVICES if "signing.pem" in compose.run(*_list_keys(name))}
    assert can == {"membership", "metrics"}


def _list_keys(service: str) -> tuple[str, ...]:
    return ("exec", "-T", service, "find", "/var/lib/kairan", "/etc/kairan", "-type", "f")


@pytest.mark.prove
@pytest.mark.timeout(1500)
async def test_kill_dash_nine_of_each_container_loses_nothing(
    compose: Compose, crowd: Crowd, receiver: Receiver, full: bool, tell: Callable[[str], None]
) -> None:
    if not await asyncio.to_thread(is_local_engine, compose):
        pytest.skip("containers: the engine's processes cannot be killed from here (another machine, or not root)")
    killing = asyncio.create_task(_kill_for(compose, 180.0 if full else 0.0))
    while not killing.done():
        await crowd.join_for(2.0, RATE)
    kills = await killing
    await compose.wait_ready()
    figures = await holds(compose, crowd, receiver)  # type: ignore[arg-type]
    tell(f"{len(kills)} kills ({', '.join(kills)}): {figures}")


async def _kill_for(compose: Compose, seconds: float) -> list[str]:
    """Kills one container after the other, each at least once, the next when the services are ready again."""
    end, killed = time.monotonic() + seconds, list[str]()
    for name in itertools.cycle(("membership", "kafka", "metrics", "mongo", "notify", "events")):
        if time.monotonic() > end and len(killed) >= 6:
            return killed
        await compose.kill(name)
        killed.append(name)
        await compose.wait_ready()
    return killed


@pytest.mark.prove
@pytest.mark.timeout(600)
async def test_down_and_up_again_keeps_everything(
    compose: Compose, crowd: Crowd, receiver: Receiver, tell: Callable[[str], None]
) -> None:
    await asyncio.to_thread(compose.run, "stop")
    ended = {name: compose.inspect(name)["State"]["ExitCode"] for name in SERVICES}
    assert ended == dict.fromkeys(SERVICES, 0), "SIGTERM reaches the services, and they end in time"
    await asyncio.to_thread(compose.down)
    seconds = await compose.up()
    await crowd.join_for(1.0, 10.0)  # by the token that was issued before
    tell(f"ready again after {seconds:.1f} s: {await holds(compose, crowd, receiver)}")  # type: ignore[arg-type]
