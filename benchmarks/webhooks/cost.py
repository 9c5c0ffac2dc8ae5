"""What a delivery costs: CPU of notify, mongod and Kafka, and deliveries per second, to one endpoint and to ten."""

from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.parts import costs, faults
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, Town, town

_WARM = 500


async def run(scale: Scale, size: Size) -> Result:
    """A burst to one endpoint, then one to ten, each from an empty queue to the last result written down."""
    figures, notes = [], []
    async with town(scale, "cost") as here:
        for fan_out, most in ((1, 0.5), (10, 0.27)):
            name = "1 endpoint" if fan_out == 1 else f"fan-out to {fan_out}"
            found, note = await _burst(here, scale, name, fan_out, size.deliveries, most)
            figures += found
            notes.append(note)
        figures.append(Figure("memory of notify", here.memory_mb(), "MB"))
        figures.append(Figure("memory of mongod and Kafka", here.memory_mb("mongo") + here.memory_mb("kafka"), "MB"))
    return Result("cost", figures, tuple(notes))


async def _burst(
    here: Town, scale: Scale, name: str, fan_out: int, deliveries: int, most: float
) -> tuple[list[Figure], str]:
    scale.say(f"cost: {name}, {deliveries:,} deliveries")
    receivers = await here.settle_in([("normal", None)] * fan_out, [(JOINED,)] * fan_out)
    await here.publish(_WARM)
    await here.taken(_WARM * fan_out, 120)
    await here.settled()
    await here.street.notes()
    meter = here.meter()
    load = await here.publish(deliveries // fan_out)
    await here.taken(len(load.times) * fan_out, 60 + deliveries / 50)
    await here.settled()
    spent, notes = meter.spent_s(), await here.street.notes()
    account = arrivals.reconcile(notes, {one: load.numbers(JOINED) for one in receivers}, 1_000)
    checked = here.check_samples()
    await here.move_out(receivers)
    seconds = float(notes["at"].max() - load.times[0])
    figures = [
        *costs(name, spent, account.taken, most, 0.4),
        Figure(f"{name}: deliveries per second", account.taken / seconds, "/s"),
        *faults(name, account),
    ]
    return figures, f"{name}: {account.taken:,} deliveries in {seconds:.1f} s, {checked} signatures judged by both"
