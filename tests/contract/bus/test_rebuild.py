"""A rebuild beside the live read model: from the log, while events arrive, the same content, one swap."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.bus import generations
from shared.bus.rebuild import Rebuild
from tests.conftest import OwnKafka
from tests.contract.bus.bench import Bus, join, until


def _group() -> str:
    return f"g{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["apache", "tansu"])
async def own_bus(
    request: pytest.FixtureRequest, own_kafka: OwnKafka, make_bus: Callable[[str, str], Awaitable[Bus]]
) -> AsyncIterator[Bus]:
    """A bus on a broker of the test's own: a rebuild reads the whole log, and nobody else's poison belongs in it."""
    broker = await own_kafka(request.param)
    bus = await make_bus(broker.bootstrap, broker.kind)
    yield bus
    await bus.stop()


async def _same_content(bus: Bus, members: set[str]) -> None:
    async def caught_up() -> bool:
        return members <= set(await bus.stories(2))

    await until(caught_up, "the new generation has everything")


async def test_a_rebuild_while_joins_arrive_has_the_same_content(own_bus: Bus) -> None:
    bus, group = own_bus, _group()
    subscription = bus.subscription(group, start="earliest")
    await bus.hear(subscription)
    before = [str(uuid.uuid4()) for _ in range(150)]
    await asyncio.gather(*(bus.execute(join(member)) for member in before))
    await bus.heard(before)

    arriving = [str(uuid.uuid4()) for _ in range(100)]

    async def keep_joining() -> None:
        for member in arriving:
            await bus.execute(join(member))

    joining = asyncio.create_task(keep_joining())
    report = await Rebuild(subscription, bus.store, bus.bootstrap).run()
    assert report.generation == 2
    assert await generations.current(bus.store, group) == 2
    await joining
    last = (await bus.execute(join())).resource_id
    everybody = {*before, *arriving, last}
    await _same_content(bus, everybody)
    rebuilt, lived = await bus.seen(2), await bus.seen(1)
    assert set(rebuilt.values()) == {1}
    assert set(lived) <= set(rebuilt)
    assert {k: v for k, v in (await bus.stories(2)).items() if k in before} == {
        k: v for k, v in (await bus.stories(1)).items() if k in before
    }


async def test_a_second_rebuild_drops_what_is_two_generations_old(own_bus: Bus) -> None:
    bus = own_bus
    subscription = bus.subscription(_group(), start="earliest")
    await bus.hear(subscription)
    await bus.heard([(await bus.execute(join())).resource_id])
    await Rebuild(subscription, bus.store, bus.bootstrap).run()
    report = await Rebuild(subscription, bus.store, bus.bootstrap).run()
    assert report.generation == 3
    names = await bus.store.db.list_collection_names()
    assert "seen.g3" in names
    assert not [name for name in names if name.endswith(".g1")]
