"""kill -9 of sender, broker and database under load: no delivery lost, none twice but those in flight, no gap."""

import asyncio
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kairan.stack.stack import Stack
from shared.store.mongo import Store
from tests.conftest import Missing
from tests.faults.crowd import Crowd
from tests.faults.proof import SCOPES, until
from tests.faults.takers import Takers

_VICTIMS = ("notify-1", "kafka", "notify-1", "mongo")
_ENDPOINTS = 5
_RATE = 100.0
_KILLS = 20
_STILL_S = 0.1
_BETWEEN_S = 6.0


@pytest.fixture
async def notifying(tmp_path: Path, missing: Missing) -> AsyncIterator[Stack]:
    if missing.apache:
        pytest.skip(missing.apache)
    services = ("membership", "notify")
    async with Stack(tmp_path / "home", kafka="apache", services=services, say=print) as stack:
        await stack.wait_ready()
        yield stack


@pytest.fixture
async def takers(notifying: Stack) -> AsyncIterator[Takers]:
    takers = Takers()
    await takers.start()
    await takers.subscribe(notifying, _ENDPOINTS)
    yield takers
    await takers.stop()


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(1200)
@pytest.mark.skipif(os.environ.get("KAIRAN_PROVE") != "full", reason="minutes of work: make prove runs it")
async def test_no_delivery_is_lost_and_only_those_in_flight_are_repeated(
    notifying: Stack, takers: Takers, tell: Callable[[str], None]
) -> None:
    store = Store(notifying.mongo_uri, "kairan_notify", app_name="proof", pool=2)
    crowd = Crowd(lambda: notifying.urls["membership"], notifying.token(*SCOPES, expires_in_s=3600))
    joining = asyncio.create_task(crowd.join_for(_KILLS * _BETWEEN_S, _RATE))
    in_flight = 0
    for name in itertools.islice(itertools.cycle(_VICTIMS), _KILLS):
        await asyncio.sleep(_BETWEEN_S / 3)
        in_flight += await _kill(notifying, name, takers, store)
        await notifying.wait_ready()
    await joining
    await _all_taken(takers, len(crowd.members))
    await store.close()
    repeats = sum(one.repeats for one in takers.by_path.values())
    tell(f"{_KILLS} kills, {len(crowd.members)} joins, {takers.requests} requests, {repeats} repeats of {in_flight}")
    assert not takers.refused
    for one in takers.by_path.values():
        assert len(one.times) == len(crowd.members)
        assert all(len(numbers) == 1 for numbers in one.numbers.values()), "a delivery changed its number"
        assert {min(numbers) for numbers in one.numbers.values()} == set(range(1, len(crowd.members) + 1))
    assert repeats <= in_flight


async def _all_taken(takers: Takers, members: int) -> None:
    async def all_taken() -> bool:
        return all(len(one.times) >= members for one in takers.by_path.values())

    await until(all_taken, lambda: f"{[len(one.times) for one in takers.by_path.values()]} of {members}")


async def _kill(stack: Stack, name: str, takers: Takers, store: Store) -> int:
    """Kills `name` while notify is frozen; how many deliveries were taken by then without being written down."""
    notify, victim = stack.pid("notify-1"), stack.pid(name)
    assert notify is not None
    assert victim is not None
    os.kill(notify, signal.SIGSTOP)
    try:
        in_flight = await _unwritten(takers, store)
        os.kill(victim, signal.SIGKILL)
    finally:
        os.kill(notify, signal.SIGCONT)

    async def noticed() -> bool:
        return stack.pid(name) != victim

    await until(noticed, lambda: f"the supervisor saw {name} die", 10)
    return in_flight


async def _unwritten(takers: Takers, store: Store) -> int:
    """Once nothing moves any more: what was on its way when notify was frozen has come to receivers and database."""
    before, now = (-1, -1), (-2, -2)
    while before != now:
        await asyncio.sleep(_STILL_S)
        taken = {name for one in takers.by_path.values() for name in one.times}
        waiting = [row["_id"] async for row in store.collection("deliveries").find({"state": "waiting"}, {"_id": 1})]
        before, now = now, (takers.requests, len(taken.intersection(waiting)))
    return now[1]
