"""Rebuild of the read model of metrics from a log of a million joins, written beforehand and not timed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.child import answer_of
from benchmarks.cpu import Meter
from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from kairan.stack.stack import Stack
from shared.bus import generations
from shared.store.mongo import Store

TOPIC = "kairan.member"
# A log as it would be: the goal of the community in so many years; the last 30 days of it fill the inbox.
YEARS = timedelta(days=4 * 365)
RECENT = timedelta(days=29)


class Miscounted(AssertionError):
    """The rebuilt read model has not every join exactly once."""


async def run(scale: Scale) -> Result:
    """Twice: a log of four years; and one of the last 29 days, where every join is in the inbox, a tenth as long."""
    long, recent = scale.joins, max(1_000, scale.joins // 10)
    figures: list[Figure] = []
    for name, count, span in (("years", long, YEARS), ("recent", recent, RECENT)):
        answer = await _rebuild(scale, name, count, span)
        goal = 35_000 if name == "years" else None
        label = "a log of four years" if name == "years" else "a log of the last 29 days"
        figures += [
            Figure(f"{label}: joins", answer["applied"] / answer["seconds"], "/s", at_least=goal),
            Figure(f"{label}: joins per CPU-second of the rebuild", answer["applied"] / answer["cpu_s"], "/CPU-s"),
            Figure(f"{label}: CPU of mongod", answer["mongod_s"] * 1e6 / count, "µs/join"),
            Figure(f"{label}: CPU of Kafka", answer["kafka_s"] * 1e6 / count, "µs/join"),
        ]
    notes = (
        f"{long:,} and {recent:,} joins; time is that of RebuildReport: from the lease to the swapped generation.",
    )
    return Result("rebuild", figures, notes)


async def _rebuild(scale: Scale, name: str, count: int, span: timedelta) -> dict[str, Any]:
    async with Stack(scale.home(f"rebuild-{name}"), kafka="apache", mongo="", services=()) as stack:
        await stack.wait_ready()
        now = datetime.now(UTC)
        scale.say(f"rebuild: writing {count:,} joins")
        spec = {"bootstrap": stack.bootstrap, "topic": TOPIC, "count": count}
        times = {"first": (now - span).isoformat(), "last": now.isoformat()}
        written = await answer_of("benchmarks.processes.log", spec | times, within_s=600)
        scale.say(f"rebuild: written in {written['seconds']:.0f} s; rebuilding")
        meter = Meter({"mongod": stack.pid("mongo"), "kafka": stack.pid("kafka")})
        spec = {"bootstrap": stack.bootstrap, "mongo": stack.mongo_uri, "database": "kairan_metrics"}
        answer = await answer_of("benchmarks.processes.rebuild", spec, within_s=600)
        spent_s = meter.spent_s()
        await _check(stack, answer["generation"], count)
        scale.say(f"rebuild: {answer['seconds']:.1f} s")
        return answer | {"mongod_s": spent_s["mongod"], "kafka_s": spent_s["kafka"]}


async def _check(stack: Stack, generation: int, count: int) -> None:
    store = Store(stack.mongo_uri, "kairan_metrics", app_name="bench-check", pool=2)
    counts = store.collection(generations.collection_name("counts", generation))
    stages = [{"$group": {"_id": None, "joins": {"$sum": "$joins"}}}]
    found = sum([row["joins"] async for row in counts.aggregate(stages)])
    await store.close()
    if found != count:
        raise Miscounted(f"{found} joins after the rebuild, {count} in the log")
