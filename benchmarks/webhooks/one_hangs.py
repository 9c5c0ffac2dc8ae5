"""One of ten endpoints hangs: the p99 of the other nine, with it and without."""

import numpy as np

from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, Town, town

RATE_PER_S = 20.0
_TEN = 10


async def run(scale: Scale, size: Size) -> Result:
    """Every event goes to all ten, 200 deliveries a second; first all answer, then one hangs."""
    async with town(scale, "one-hangs") as here:
        receivers = await here.settle_in([("normal", None)] * _TEN, [(JOINED,)] * _TEN)
        await here.publish(int(RATE_PER_S * 3), rate=RATE_PER_S)
        scale.say("one hangs: all ten answer")
        without = await _nine(here, size.hung_s, receivers)
        scale.say(f"one hangs: for {size.hung_s:g} s")
        await here.street.become(receivers[-1], ("hung", None))
        beside = await _nine(here, size.hung_s, receivers)
        here.check_samples()
    ratio = percentile(beside, 0.99) / percentile(without, 0.99)
    figures = [
        Figure("p99 of nine beside a hung one, by p99 without", ratio, "x", at_most=1.5),
        Figure("all ten answer: p50", percentile(without, 0.5), "ms"),
        Figure("all ten answer: p99 of nine", percentile(without, 0.99), "ms"),
        Figure("one hangs: p50", percentile(beside, 0.5), "ms"),
        Figure("one hangs: p99 of nine", percentile(beside, 0.99), "ms"),
    ]
    note = f"{RATE_PER_S:g} events a second to ten endpoints, {size.hung_s:g} s each, {len(beside):,} deliveries"
    return Result("one hangs", figures, (note,))


async def _nine(here: Town, seconds: float, receivers: list[int]) -> list[float]:
    await here.settled(waiting=0)
    await here.street.notes()
    load = await here.publish(int(RATE_PER_S * seconds), rate=RATE_PER_S)
    await here.taken(len(load.times) * (len(receivers) - 1), 60)
    notes = await here.street.notes()
    nine = notes[np.isin(notes["receiver"], receivers[:-1])]
    delays: list[float] = (arrivals.delays_s(nine, load.times, load.first) * 1000).tolist()
    return delays
