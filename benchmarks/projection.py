"""Consume-to-projection: our Consumer against a loop written by hand on aiokafka and pymongo, in turn on one stack."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.child import answer_of
from benchmarks.cpu import Meter
from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from kairan.stack.stack import Stack
from shared.bus import topics

TOPIC = "bench.joins"
ROUNDS = 3
# As a live stream looks: a batch touches few hours. A batch over many costs both sides the same in the database.
SPAN = timedelta(hours=48)


@dataclass
class Side:
    """What the rounds of one consumer have seen."""

    messages: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    mongod_s: float = 0.0
    transactions: int = 0

    def figures(self, name: str) -> list[Figure]:
        return [
            Figure(f"{name}: messages", self.messages / self.wall_s, "/s"),
            Figure(f"{name}: messages per CPU-second of its process", self.messages / self.cpu_s, "/CPU-s"),
            Figure(f"{name}: CPU of mongod", self.mongod_s * 1e6 / self.messages, "µs/message"),
            Figure(f"{name}: messages in a transaction", self.messages / self.transactions, ""),
        ]


async def run(scale: Scale) -> Result:
    """Every round reads the whole topic anew, with a group and a database of its own."""
    count = max(1_000, int(scale.seconds * 1_000))
    async with Stack(scale.home("projection"), kafka="apache", mongo="", services=()) as stack:
        await stack.wait_ready()
        await _fill(stack, scale, count)
        ours, raw = Side(), Side()
        rounds = ROUNDS if scale.seconds >= 10 else 1
        for n in range(rounds):
            scale.say(f"projection: round {n + 1} of {rounds}, both sides")
            await _round(stack, "raw", n, count, raw)
            await _round(stack, "ours", n, count, ours)
    wall = (ours.messages / ours.wall_s) / (raw.messages / raw.wall_s)
    cpu = (ours.messages / ours.cpu_s) / (raw.messages / raw.cpu_s)
    figures = [
        Figure("ours / raw, messages per second", wall, "x", at_least=0.8),
        Figure("ours / raw, messages per CPU-second", cpu, "x"),
        *ours.figures("ours"),
        *raw.figures("raw loop"),
    ]
    return Result(
        "projection", figures, (f"{rounds} rounds each of {count:,} joins, in turn; batches of at most 500.",)
    )


async def _fill(stack: Stack, scale: Scale, count: int) -> None:
    groups = [f"ours-{n}" for n in range(ROUNDS)]
    retries = [topics.Topic(topics.retry_topic(TOPIC, group), partitions=1) for group in groups]
    await topics.apply(stack.bootstrap, topics=[topics.Topic(TOPIC), *retries])
    now = datetime.now(UTC)
    spec = {"bootstrap": stack.bootstrap, "topic": TOPIC, "count": count}
    times = {"first": (now - SPAN).isoformat(), "last": now.isoformat()}
    answer = await answer_of("benchmarks.processes.log", spec | times)
    scale.say(f"projection: {count:,} joins written in {answer['seconds']:.1f} s")


async def _round(stack: Stack, kind: str, n: int, count: int, side: Side) -> None:
    name = f"{kind}-{n}"
    spec: dict[str, Any] = {"bootstrap": stack.bootstrap, "mongo": stack.mongo_uri, "topic": TOPIC, "count": count}
    meter = Meter({"mongod": stack.pid("mongo")})
    spec |= {"group": name, "database": f"bench_{kind}_{n}", "rebuildable": True}
    answer = await answer_of(f"benchmarks.processes.{kind}", spec)
    side.messages += count
    side.wall_s += answer["wall_s"]
    side.cpu_s += answer["cpu_s"]
    side.mongod_s += meter.spent_s()["mongod"]
    side.transactions += answer["transactions"]
