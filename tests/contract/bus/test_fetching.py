"""While some partitions are busy the others are asked for less often, and never forgotten."""

import asyncio
import uuid
from typing import Any

import pytest

from shared.bus import fetching
from shared.bus.consumer import Consumer
from tests.contract.bus.bench import Bus, join, leave, until


def _left_out(consumer: Consumer) -> set[Any]:
    """The partitions that the client has and was not asking for when it last asked."""
    assert consumer._standing is not None
    client = consumer._standing.client
    return set() if client is None else set(client.assignment() - consumer._standing.fetching._asked)


async def test_a_quiet_partition_is_heard_while_another_one_is_busy_and_when_all_is_quiet(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever the machine's speed: each event comes "upon the other", and all are asked for once a second only.
    monkeypatch.setattr(fetching, "_UPON_THE_OTHER_S", 60.0)
    monkeypatch.setattr(fetching, "_ALL_EACH_S", 1.0)
    consumer = await bus.hear(bus.subscription(f"g{uuid.uuid4().hex[:8]}"))
    busy = (await bus.execute(join())).resource_id
    await bus.heard([busy])
    left_out: set[Any] = set()

    async def go_on() -> None:
        applied = 1

        async def its_last_is_applied() -> bool:
            return len((await bus.stories())[busy]) == applied

        while True:  # one at a time, so that each batch is a small one
            await bus.execute(leave(busy))
            applied += 1
            await until(its_last_is_applied, "a busy partition is applied")
            left_out.update(_left_out(consumer))

    going_on = asyncio.create_task(go_on())
    try:

        async def some_are_left_out() -> bool:
            return going_on.done() or len(left_out) > 1

        await until(some_are_left_out, "partitions without events are not asked for each time")
        others = [(await bus.execute(join())).resource_id for _ in range(24)]
        await bus.heard(others)
        assert not going_on.done()
    finally:
        going_on.cancel()
        await asyncio.gather(going_on, return_exceptions=True)

    async def all_are_asked_for() -> bool:
        return not _left_out(consumer)

    await until(all_are_asked_for, "all partitions are asked for when it is quiet")
    await bus.heard([(await bus.execute(join())).resource_id])
    assert set((await bus.seen()).values()) == {1}
