"""The broker and the database of a stack, embedded or external: started, kept, followed when they move."""

import asyncio
import shutil
import time
from collections.abc import Callable

from kairan.stack.child import Child, last_lines
from kairan.stack.choice import Choice
from kairan.stack.errors import StartFailed
from kairan.stack.external import wait_for_kafka, wait_for_mongo
from kairan.stack.home import Home
from kairan.stack.kafka import ApacheKafka
from kairan.stack.keeper import KEEPS_DYING, Keep, Keeper, Probe
from kairan.stack.leftovers import ProcessBook
from kairan.stack.mongod import Mongod
from kairan.stack.part import Part
from kairan.stack.ports import KeptPorts
from kairan.stack.tansu import Tansu

STOP_DEADLINE_S = 5.0
START_TIMEOUT_S = 120.0


class Infrastructure:
    """`moves` counts, and `moved` signals, what services must be told: a new address, or a log that came back empty."""

    def __init__(self, home: Home, choice: Choice, ports: KeptPorts, book: ProcessBook, keep: Keep) -> None:
        self._choice, self._book, self._keep, self._logs = choice, book, keep, home.logs
        self._keepers: list[Keeper] = []
        self._told: tuple[object, ...] | None = None
        self._light_starts = 0
        self.moved, self.moves = asyncio.Event(), 0
        data = home.data
        if choice.broker == "tansu":
            data = home.data / "light"  # its database goes with its log; the durable one's data stay untouched
            shutil.rmtree(data, ignore_errors=True)
        self._kafka: ApacheKafka | Tansu | None = None
        if choice.broker != "external":
            broker = Tansu if choice.broker == "tansu" else ApacheKafka
            self._kafka = broker(data / "kafka", home.logs / "kafka.log", ports)
        self._mongo = None if choice.mongo else Mongod(data / "mongo", home.logs / "mongo.log", ports)

    @property
    def bootstrap(self) -> str:
        return self._kafka.bootstrap if self._kafka else self._choice.bootstrap or ""

    @property
    def mongo_uri(self) -> str:
        return self._mongo.uri if self._mongo else self._choice.mongo or ""

    @property
    def _parts(self) -> list[Part]:
        return [part for part in (self._kafka, self._mongo) if part is not None]

    async def start(self) -> None:
        """Returns when both answer. Raises `MissingPart`, `StartFailed`."""
        for part in self._parts:
            await part.prepare()
        for part in self._parts:
            self._keepers.append(self._keep(part.name, part.name, self._spawn_of(part), _probe_of(part)))
        waiting = [self._first_answer(keeper) for keeper in self._keepers]
        if self._kafka is None:
            waiting.append(wait_for_kafka(self.bootstrap))
        if self._mongo is None:
            waiting.append(wait_for_mongo(self.mongo_uri))
        await asyncio.gather(*waiting)
        self._told = self._identity()

    async def answering(self) -> None:
        """Returns when both answer at their present addresses."""
        while not all([await part.answers() for part in self._parts]):  # noqa: ASYNC110  nobody announces it
            await asyncio.sleep(0.1)

    async def stop(self) -> None:
        await asyncio.gather(*(keeper.stop(STOP_DEADLINE_S) for keeper in self._keepers))

    def _spawn_of(self, part: Part) -> Callable[[], Child]:
        def spawn() -> Child:
            child = part.spawn()
            self._book.add(child)
            if part is self._kafka and self._choice.broker == "tansu":
                self._light_starts += 1
            if self._told not in (None, self._identity()):
                self._told = self._identity()
                self.moves += 1
                self.moved.set()
            return child

        return spawn

    def _identity(self) -> tuple[object, ...]:
        return self.bootstrap, self.mongo_uri, self._light_starts

    async def _first_answer(self, keeper: Keeper) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not keeper.ready:
            if keeper.failures >= KEEPS_DYING - 1 or time.monotonic() > deadline:
                log = self._logs / f"{keeper.name}.log"
                raise StartFailed(f"{keeper.name} does not start; the end of {log}:\n{last_lines(log)}")
            await asyncio.sleep(0.05)


def _probe_of(part: Part) -> Callable[[Child], Probe]:
    return lambda child: part.answers
