"""A whole stack under one supervisor: broker, database, topics, services; `kairan up`, demo, replay and tests use it.

async with Stack(home) as stack:
    await stack.wait_ready()
    stack.urls["membership"], stack.token("members:write")
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal, Self

from kairan.stack.child import Child, last_lines
from kairan.stack.choice import choose
from kairan.stack.errors import StackError, StartFailed
from kairan.stack.fleet import Fleet
from kairan.stack.home import Home
from kairan.stack.infrastructure import Infrastructure
from kairan.stack.keeper import Keeper, Probe, Say
from kairan.stack.leftovers import ProcessBook, stop_leftovers
from kairan.stack.link import page_link
from kairan.stack.ports import KeptPorts
from kairan.stack.service import SERVICES, Surroundings
from kairan.stack.status import ProcessStatus, StackStatus, StatusFile
from kairan.stack.topics import apply_topics
from shared.web import tokens


class Stack:
    """Starts on `async with`; everything is stopped when the block ends, however it ends.

    `kafka` and `mongo` are what KAIRAN_KAFKA and KAIRAN_MONGO say unless given. `services` may name fewer than all.
    `env` is told to every service process. `say` receives lines for the operator.
    Entering raises `HomeInUse`, `MissingPart`, `BadSetting`, `StartFailed`.
    """

    def __init__(
        self,
        home: Path | str,
        *,
        clock: Literal["wall", "stream"] = "wall",
        replicas: int = 1,
        kafka: str | None = None,
        mongo: str | None = None,
        services: Sequence[str] = SERVICES,
        env: Mapping[str, str] | None = None,
        say: Say = lambda line: None,
    ) -> None:
        self.home = Home(home)
        self._clock, self._replicas, self._services, self._env = clock, replicas, services, dict(env or {})
        self._kafka = os.environ.get("KAIRAN_KAFKA", "") if kafka is None else kafka
        self._mongo = os.environ.get("KAIRAN_MONGO", "") if mongo is None else mongo
        self._say = say
        self._exits = AsyncExitStack()
        self._keepers: dict[str, Keeper] = {}
        self._status_file: StatusFile | None = None
        self._started = False
        self._followed_moves = 0
        self._changed = asyncio.Event()

    @property
    def urls(self) -> dict[str, str]:
        """The address of each service, shared by its replicas."""
        return self._fleet.urls

    @property
    def bootstrap(self) -> str:
        return self._infrastructure.bootstrap

    @property
    def kind(self) -> Literal["apache", "tansu"]:
        """Which broker it is; an external one counts as Apache Kafka."""
        return self._choice.kind

    @property
    def mongo_uri(self) -> str:
        return self._infrastructure.mongo_uri

    @property
    def ready(self) -> bool:
        """Whether every process answers ready, and its consumers have been assigned since it started."""
        followed = self._followed_moves == self._infrastructure.moves
        return self._started and followed and all(keeper.ready for keeper in self._keepers.values())

    @property
    def page_link(self) -> str:
        """The page's address with a new one-time code, good for ten minutes."""
        return page_link(self.urls["metrics"], self._key)

    def token(self, *scopes: str, expires_in_s: float = 3600, subject: str = "kairan") -> str:
        return tokens.issue(self._key, subject, scopes, expires_in_s)

    def pid(self, name: str) -> int | None:
        """The process behind a name such as `membership-1`, `kafka` or `mongo`; None while it is dead."""
        return self._keepers[name].pid

    def restarts(self, name: str) -> int:
        return self._keepers[name].restarts

    async def wait_ready(self, timeout_s: float = 120) -> None:
        """Returns when all processes are ready. Raises `StartFailed` with the names and last words of the others."""
        deadline = time.monotonic() + timeout_s
        while not self.ready:
            self._changed.clear()
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self._changed.wait()
            except TimeoutError:
                raise StartFailed(self._unready_words(timeout_s)) from None

    def status(self) -> StackStatus:
        parts = [
            ProcessStatus(keeper.name, keeper.role, keeper.pid, None, keeper.restarts)
            for keeper in self._keepers.values()
            if keeper.role in ("kafka", "mongo")
        ]
        return StackStatus(
            self.ready,
            self._fleet.urls,
            self.bootstrap,
            self.kind,
            self.mongo_uri,
            (*self._fleet.status(), *parts),
            self._fleet.ops_urls,
        )

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._exits.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def _start(self) -> None:
        self._choice = await asyncio.to_thread(choose, self._kafka, self._mongo)
        self._exits.enter_context(self.home.locked())
        for name in await asyncio.to_thread(stop_leftovers, self.home.processes_file):
            self._say(f"stopped {name}, left behind by a supervisor that was killed")
        if self._choice.note:
            self._say(self._choice.note)
        self._key = tokens.ensure_keys(self.home.keys)
        self.home.make_notify_key()
        self._build()
        self._publish()
        await self._infrastructure.start()
        await apply_topics(self.bootstrap)
        self._fleet.start()
        self._follow_moves()
        self._exits.callback(self._set_started, False)
        self._set_started(True)

    def _set_started(self, started: bool) -> None:
        self._started = started
        self._publish()

    def _build(self) -> None:
        """What is made here is stopped in the opposite order."""
        ports, book = KeptPorts(self.home.ports_file), ProcessBook(self.home.processes_file)
        self._status_file = StatusFile(self.home)
        self._exits.callback(book.clear)
        self._exits.callback(lambda: StatusFile(self.home).write(StackStatus()))
        self._infrastructure = Infrastructure(self.home, self._choice, ports, book, self._keep)
        self._exits.push_async_callback(self._infrastructure.stop)
        self._fleet = Fleet(
            self.home,
            ports,
            book,
            self._keep,
            services=self._services,
            replicas=self._replicas,
            surroundings=self._surroundings,
            env=self._env,
        )
        self._exits.push_async_callback(self._fleet.stop)

    def _surroundings(self) -> Surroundings:
        return Surroundings(self.bootstrap, self.kind, self.mongo_uri, self._clock)

    def _keep(self, name: str, role: str, spawn: Callable[[], Child], probe_of: Callable[[Child], Probe]) -> Keeper:
        keeper = Keeper(name, role, spawn, probe_of, changed=self._publish, say=self._say)
        self._keepers[name] = keeper
        keeper.start()
        return keeper

    def _publish(self) -> None:
        assert self._status_file is not None
        self._status_file.write(self.status())
        self._changed.set()

    def _follow_moves(self) -> None:
        task = asyncio.create_task(self._tell_services_of_moves())

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self._exits.push_async_callback(end)

    async def _tell_services_of_moves(self) -> None:
        while True:
            await self._infrastructure.moved.wait()
            self._infrastructure.moved.clear()
            moves = self._infrastructure.moves
            await self._infrastructure.answering()
            try:
                await apply_topics(self.bootstrap)
            except StackError as error:
                self._say(str(error))
                self._infrastructure.moved.set()
                await asyncio.sleep(0.5)
                continue
            self._say(f"the services are started again: Kafka is at {self.bootstrap}, MongoDB at {self.mongo_uri}")
            await self._fleet.renew()
            self._followed_moves = moves
            self._publish()

    def _unready_words(self, timeout_s: float) -> str:
        unready = [keeper for keeper in self._keepers.values() if not keeper.ready]
        words = [f"not ready within {timeout_s:g} s: {', '.join(keeper.name for keeper in unready) or 'the topics'}"]
        for keeper in unready:
            log = self.home.logs / f"{keeper.name}.log"
            words.append(f"the end of {log}:\n{last_lines(log)}")
        return "\n".join(words)
