"""From publishing to arrival at 200 and 500 events a second; the same with a twentieth of them for a hung endpoint."""

from collections.abc import Sequence

from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.parts import costs
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, Town, town

_HUNG = "session-held"
_SHARED = (*[JOINED] * 19, _HUNG)
_GOALS = {200.0: (10.0, 30.0), 500.0: (15.0, 100.0)}
_WARM_S = 3.0


async def run(scale: Scale, size: Size) -> Result:
    """One healthy endpoint that hears every event; then 19 of 20, while another that never answers hears the rest."""
    figures: list[Figure] = []
    for rate, (p50, p99) in _GOALS.items():
        async with town(scale, f"latency-{rate:g}") as here:
            scale.say(f"latency: {rate:g}/s")
            await here.settle_in([("normal", None)], [(JOINED,)])
            meter = here.meter()
            alone = await _delays_ms(here, rate, size.latency_s, (JOINED,))
            spent = meter.spent_s()
            scale.say(f"latency: {rate:g}/s, a twentieth of it to a hung endpoint")
            await here.settle_in([("hung", None)], [(_HUNG,)])
            beside = await _delays_ms(here, rate, size.latency_s, _SHARED)
        count = len(alone) + int(rate * _WARM_S)
        figures += [
            Figure(f"{rate:g}/s: p50", percentile(alone, 0.5), "ms", at_most=p50),
            Figure(f"{rate:g}/s: p99", percentile(alone, 0.99), "ms", at_most=p99),
            Figure(f"{rate:g}/s, 5 % hung: p50", percentile(beside, 0.5), "ms"),
            Figure(f"{rate:g}/s, 5 % hung: p99", percentile(beside, 0.99), "ms", at_most=1.5 * p99),
            *costs(f"{rate:g}/s", spent, count),
        ]
    return Result("latency", figures, (f"{size.latency_s:g} s each, open loop; latency counts from when it was due.",))


async def _delays_ms(here: Town, rate: float, seconds: float, names: Sequence[str]) -> list[float]:
    """Of the healthy endpoint, whose receiver is the first."""
    warm = await here.publish(int(rate * _WARM_S), rate=rate, names=names)
    await here.taken(len(warm.numbers(JOINED)), 60)
    await here.street.notes()
    load = await here.publish(int(rate * seconds), rate=rate, names=names)
    await here.taken(len(load.numbers(JOINED)), 120)
    notes = await here.street.notes()
    here.check_samples()
    healthy = notes[notes["receiver"] == 0]
    delays: list[float] = (arrivals.delays_s(healthy, load.times, load.first) * 1000).tolist()
    return delays
