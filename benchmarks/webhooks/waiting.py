"""Memory of notify while 100,000 deliveries wait for ten endpoints that never answer."""

import asyncio

from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from benchmarks.webhooks.memory import Most
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, town

_TEN = 10
_COUNT_S = 1.0


async def run(scale: Scale, size: Size) -> Result:
    """From an idle process to the moment when all wait, and for a while after: the most that was seen."""
    async with town(scale, "waiting") as here:
        before = here.memory_mb()
        await here.settle_in([("hung", None)] * _TEN, [(JOINED,)] * _TEN)
        scale.say(f"waiting: {size.waiting:,} deliveries are planned")
        most = Most(here)
        load = await here.publish(size.waiting // _TEN)
        expected = len(load.times) * _TEN
        async with most, asyncio.timeout(600):
            while await here.waiting() < expected:  # noqa: ASYNC110  a count costs the database
                await asyncio.sleep(_COUNT_S)
            await asyncio.sleep(min(20.0, size.hung_s))  # hung attempts end after 15 s, others begin
        after = here.memory_mb()
    figures = [
        Figure("memory at most while they wait", most.seen_mb, "MB", at_most=200),
        Figure("memory at the end", after, "MB"),
        Figure("memory idle, before", before, "MB"),
    ]
    return Result("waiting", figures, (f"{expected:,} waiting deliveries to {_TEN} hung endpoints",))
