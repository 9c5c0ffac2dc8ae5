"""Deliveries per second to 1,000 endpoints, held for two minutes with a flat backlog, every event accounted for."""

import asyncio
import time

from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.parts import costs, faults
from benchmarks.webhooks.records import TYPES
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import Town, town

PER_S = 1_500.0
_NAMES = TYPES[:8]
_SAMPLE_S = 1.0


async def run(scale: Scale, size: Size, per_s: float = PER_S) -> Result:
    """Each endpoint hears one of eight event names, so that an event goes to an eighth of them."""
    fan_out = size.endpoints // len(_NAMES)
    async with town(scale, "sustained") as here:
        scale.say(f"sustained: {fan_out * len(_NAMES)} endpoints move in")
        heard = [(name,) for _ in range(fan_out) for name in _NAMES]
        receivers = await here.settle_in([("normal", None)] * len(heard), heard)
        rate = per_s / fan_out
        warm = await here.publish(max(len(_NAMES), int(rate * 3)), rate=rate, names=_NAMES)
        await here.taken(len(warm.times) * fan_out, 120)
        await here.settled()
        await here.street.notes()
        count = int(rate * size.sustained_s)
        scale.say(f"sustained: {count} events to {fan_out} endpoints each, {rate:.1f}/s")
        meter, backlog = here.meter(), asyncio.create_task(_watch(here, rate * fan_out, size.sustained_s))
        load = await here.publish(count, rate=rate, names=_NAMES)
        seen = await backlog
        await here.taken(count * fan_out, 600)
        await here.settled()
        spent, notes = meter.spent_s(), await here.street.notes()
        wanted = {one: load.numbers(heard[one][0]) for one in receivers}
        account = arrivals.reconcile(notes, wanted, 1_000)
        delays = arrivals.delays_s(notes, load.times, load.first) * 1000
        checked = here.check_samples()
    arrived = notes["at"] - load.times[0]
    inside = (arrived > size.sustained_s * 0.1) & (arrived <= size.sustained_s)
    half = len(seen) // 2
    figures = [
        Figure("deliveries per second", inside.sum() / (size.sustained_s * 0.9), "/s", at_least=per_s * 0.99),
        Figure("backlog: median of the first half", percentile(seen[:half], 0.5), "deliveries"),
        Figure("backlog: median of the second half", percentile(seen[half:], 0.5), "deliveries"),
        Figure("publish to arrival: p50", percentile(delays.tolist(), 0.5), "ms"),
        Figure("publish to arrival: p99", percentile(delays.tolist(), 0.99), "ms"),
        *faults("", account),
        *costs("", spent, account.taken),
    ]
    note = f"{account.taken:,} deliveries in {size.sustained_s:g} s, {checked} signatures judged by both libraries"
    return Result("sustained", figures, (note,))


async def _watch(here: Town, per_s: float, seconds: float) -> list[float]:
    """What was due but had not been taken, once a second; the publisher's start-up is not counted."""
    while (await here.street.counts())["taken"] == 0:  # noqa: ASYNC110  each look is a question
        await asyncio.sleep(0.05)
    begin, seen = time.monotonic(), []
    while (now := time.monotonic() - begin) < seconds - 2 * _SAMPLE_S:
        taken = (await here.street.counts())["taken"]
        seen.append(per_s * now - taken)
        await asyncio.sleep(_SAMPLE_S)
    return seen
