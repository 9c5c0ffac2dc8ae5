"""Joins over HTTP: group commit against one transaction per command, what a join costs, and latency at 500 a second."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.child import answer_of
from benchmarks.cpu import Meter
from benchmarks.quiet import Quiet
from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from benchmarks.variant import variant
from kairan.stack.stack import Stack

GROUP, SINGLE = "group commit", "one transaction per command"
IN_FLIGHT = 64
RATE_PER_S = 500
SHARES = ("HTTP", "relay", "HTTP and relay", "mongod", "Kafka", "metrics", "notify", "load generator")
SERVICES = ("membership", "notify", "metrics")


@dataclass
class Side:
    """What the rounds of one side have seen so far."""

    acknowledged: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)
    joins: int = 0

    def add(self, answer: Mapping[str, Any], cpu_s: Mapping[str, float]) -> None:
        self.acknowledged += answer["acknowledged"]
        self.seconds += answer["seconds"]
        self.latencies_ms += answer["latencies_ms"]
        self.joins += answer["acknowledged_in_all"]
        for name, spent in cpu_s.items():
            self.cpu_s[name] = self.cpu_s.get(name, 0.0) + spent

    @property
    def per_s(self) -> float:
        return self.acknowledged / self.seconds

    def speed(self, name: str) -> list[Figure]:
        return [
            Figure(f"{name}: joins", self.per_s, "/s"),
            Figure(f"{name}: p50", percentile(self.latencies_ms, 0.50), "ms"),
            Figure(f"{name}: p99", percentile(self.latencies_ms, 0.99), "ms"),
        ]

    def costs(self, name: str) -> list[Figure]:
        return [
            Figure(f"{name}: CPU of {part}", self.cpu_s[part] * 1000 / self.joins, "ms/join")
            for part in SHARES
            if part in self.cpu_s
        ]


async def run(scale: Scale) -> Result:
    """Half of the time alternates between the two sides, a third holds 500/s, the rest runs the relay apart."""
    async with AsyncExitStack() as exits:
        home = scale.home("joins")
        stack = await exits.enter_async_context(Stack(home, kafka="apache", mongo="", services=SERVICES))
        await stack.wait_ready()
        rounds = _Rounds(stack, scale, await exits.enter_async_context(Quiet(stack.mongo_uri)))
        group, single = await _compare(rounds, scale.seconds / 2)
        steady = Side()
        scale.say(f"joins: open loop at {RATE_PER_S}/s")
        await rounds.play(steady, stack.urls["membership"], _membership(stack), scale.seconds / 3, rate=RATE_PER_S)
        apart = await _apart(rounds, scale.seconds / 6)
    figures = [
        Figure("ratio of joins per second", group.per_s / single.per_s, "x", at_least=4),
        Figure(f"p99 at {RATE_PER_S}/s, open loop", percentile(steady.latencies_ms, 0.99), "ms", at_most=50),
        Figure(f"p50 at {RATE_PER_S}/s, open loop", percentile(steady.latencies_ms, 0.50), "ms"),
        Figure("kept rate, open loop", steady.per_s, "/s"),
        *group.speed(GROUP),
        *single.speed(SINGLE),
        *group.costs(GROUP),
        *single.costs(SINGLE),
        *steady.costs(f"{RATE_PER_S}/s"),
        *apart.costs("relay apart"),
    ]
    notes = (
        f"{IN_FLIGHT} in flight, {'with' if scale.keys else 'without'} Idempotency-Key; the two sides in turn on one "
        "stack, each round ending when outbox and consumers have caught up; CPU counts to there.",
    )
    return Result("joins", figures, notes)


async def _compare(rounds: "_Rounds", seconds: float) -> tuple[Side, Side]:
    group, single = Side(), Side()
    async with variant(rounds.stack, "one-by-one") as other:
        count = 3 if seconds >= 6 else 1
        for n in range(count):
            rounds.scale.say(f"joins: round {n + 1} of {count}, both sides")
            each = seconds / count / 2
            await rounds.play(group, rounds.stack.urls["membership"], _membership(rounds.stack), each)
            await rounds.play(single, other.url, {"HTTP and relay": other.pid}, each)
            rounds.scale.say(f"joins: so far {group.per_s:,.0f}/s against {single.per_s:,.0f}/s")
    return group, single


async def _apart(rounds: "_Rounds", seconds: float) -> Side:
    side = Side()
    async with variant(rounds.stack, "relay") as relay, variant(rounds.stack, "http") as http:
        rounds.scale.say("joins: the relay in a process of its own")
        await rounds.play(side, http.url, {"HTTP": http.pid, "relay": relay.pid}, seconds)
    return side


def _membership(stack: Stack) -> dict[str, int | None]:
    return {"HTTP and relay": stack.pid("membership-1")}


class _Rounds:
    """Plays rounds of load one after another; each begins and ends with nothing left to do."""

    def __init__(self, stack: Stack, scale: Scale, quiet: Quiet) -> None:
        self.stack, self.scale, self._quiet = stack, scale, quiet
        self._played = 0

    async def play(
        self, side: Side, url: str, writers: Mapping[str, int | None], seconds: float, rate: float | None = None
    ) -> None:
        """One round against `url`; `writers` are the processes whose CPU only this round uses."""
        self._played += 1
        at = urlsplit(url)
        spec = {
            "host": at.hostname,
            "port": at.port,
            "token": self.stack.token("members:write"),
            "prefix": f"bench-{self._played}",
            "keys": self.scale.keys,
            "in_flight": IN_FLIGHT,
            "rate": rate,
            "warm_s": min(1.0, seconds / 5),
            "seconds": seconds,
        }
        meter = Meter({**writers, **self._everyones()})
        answer = await answer_of("benchmarks.processes.load", spec, within_s=seconds + 60)
        await self._quiet.after(answer["acknowledged_in_all"])
        side.add(answer, {**meter.spent_s(), "load generator": answer["cpu_s"]})
        if answer["failed"]:
            self.scale.say(f"joins: {answer['failed']} joins were not acknowledged")

    def _everyones(self) -> dict[str, int | None]:
        names = {"mongod": "mongo", "Kafka": "kafka", "metrics": "metrics-1", "notify": "notify-1"}
        return {part: self.stack.pid(name) for part, name in names.items()}
