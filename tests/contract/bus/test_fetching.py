"""While some partitions are busy the others are asked for less often, and never forgotten."""

import asyncio
import uuid
from typing import Any

from shared.bus.consumer import Consumer
from tests.contract.bus.bench import Bus, join, leave, until


def _paused(consumer: Consumer) -> set[Any]:
    assert consumer._standing is not None
    client = consumer._standing.client
    return set() if client is None else set(client.paused())


async def test_a_quiet_partition_is_heard_while_another_one_is_busy_and_when_all_is_quiet(bus: Bus) -> None:
    consumer = await bus.hear(bus.subscription(f"g{uuid.uuid4().hex[:8]}"))
    left_out: set[Any] = set()

    async def go_on(member: str) -> None:
        while True:
            await bus.execute(leave(member))
            left_out.update(_paused(consumer))

    busy = [(await bus.execute(join())).resource_id for _ in range(4)]
    going_on = [asyncio.create_task(go_on(member)) for member in busy]
    try:

        async def some_are_left_out() -> bool:
            return len(left_out) > 1

        await until(some_are_left_out, "partitions without events are not asked for each time")
        others = [(await bus.execute(join())).resource_id for _ in range(24)]
        await bus.heard(others)
    finally:
        for one in going_on:
            one.cancel()
        await asyncio.gather(*going_on, return_exceptions=True)

    async def all_are_asked_for() -> bool:
        return not _paused(consumer)

    await until(all_are_asked_for, "all partitions are asked for when it is quiet")
    await bus.heard([(await bus.execute(join())).resource_id])
    assert set((await bus.seen()).values()) == {1}
