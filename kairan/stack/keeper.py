"""Keeps one process of the stack alive: starts again what dies, knows whether it is ready, says what keeps dying."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kairan.stack.child import Child, last_lines
from kairan.stack.errors import StackError

FIRST_BACKOFF_S, MOST_BACKOFF_S = 0.1, 5.0
HEALTHY_AFTER_S = 5.0
KEEPS_DYING = 4
LOOK_WHILE_STARTING_S, LOOK_WHILE_READY_S = 0.15, 0.5

Probe = Callable[[], Awaitable[bool]]
Say = Callable[[str], None]
Keep = Callable[[str, str, Callable[[], Child], Callable[[Child], Probe]], "Keeper"]
"""Puts a process (name, role, spawn, probe of an incarnation) under supervision."""


def backoff_s(failures: int) -> float:
    """How long to wait after the n-th death in a row: not at all, then 0.1 s doubling to 5 s."""
    return 0.0 if failures <= 1 else min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** (failures - 2))


class Keeper:
    """One process under supervision.

    `spawn` starts it (called again for every start; it may raise `StackError` or `OSError`). `probe_of(child)` gives
    the question whether that incarnation is ready; it never raises. `changed` is called after every change of state.
    """

    def __init__(
        self,
        name: str,
        role: str,
        spawn: Callable[[], Child],
        probe_of: Callable[[Child], Probe],
        *,
        changed: Callable[[], None],
        say: Say,
    ) -> None:
        self.name, self.role = name, role
        self.child: Child | None = None
        self._answered = False
        self.restarts = 0
        self.failures = 0
        self._spawn, self._probe_of = spawn, probe_of
        self._changed, self._say = changed, say
        self._stopping = False
        self._renewing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether the present incarnation lives and answered so when it was asked last."""
        return self._answered and self.pid is not None

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child is not None and self.child.alive else None

    def start(self) -> None:
        """Starts the first incarnation before it returns; what goes wrong with it is retried like every death."""
        self._task = asyncio.create_task(self._keep(self._try_spawn()), name=f"keep-{self.name}")

    async def renew(self, deadline_s: float) -> None:
        """Stops the process so that it is started again at once, with what `spawn` knows now."""
        if self.child is not None and self.child.alive and not self._stopping:
            self._renewing = True
            await self.child.stop(deadline_s)

    async def stop(self, deadline_s: float) -> None:
        self._stopping = True
        if self.child is not None:
            await self.child.stop(deadline_s)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._set_ready(False)

    async def _keep(self, child: Child | None) -> None:
        while True:
            if child is not None:
                await self._watch_until_it_ends(child)
            if self._stopping:
                return
            await asyncio.sleep(self._mourn(child))
            child = self._try_spawn()
            self.restarts += 1
            self._changed()

    def _try_spawn(self) -> Child | None:
        self._answered = False
        try:
            self.child = self._spawn()
        except (StackError, OSError) as error:
            self._say(f"{self.name} cannot be started: {error}")
            self.child = None
        self._changed()
        return self.child

    async def _watch_until_it_ends(self, child: Child) -> None:
        looking = asyncio.create_task(self._look(child, self._probe_of(child)), name=f"look-{self.name}")
        try:
            await child.wait()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            self._set_ready(False, always=True)

    async def _look(self, child: Child, probe: Probe) -> None:
        while child.alive:
            self._set_ready(await probe())
            await asyncio.sleep(LOOK_WHILE_READY_S if self.ready else LOOK_WHILE_STARTING_S)

    def _set_ready(self, ready: bool, *, always: bool = False) -> None:
        if ready != self._answered or always:
            self._answered = ready
            self._changed()

    def _mourn(self, child: Child | None) -> float:
        """Counts a death, says what the operator should know, and returns the seconds to wait."""
        if self._renewing:
            self._renewing = False
            return 0.0
        if child is not None and child.age_s >= HEALTHY_AFTER_S:
            self.failures = 0
        self.failures += 1
        pause_s = backoff_s(self.failures)
        if child is not None:
            self._say_death(child, pause_s)
        return pause_s

    def _say_death(self, child: Child, pause_s: float) -> None:
        how = how_it_ended(child.exit_status)
        if self.failures < KEEPS_DYING:
            self._say(f"{self.name} {how}; it is started again")
        elif self.failures == KEEPS_DYING or self.failures % 10 == 0:
            self._say(
                f"{self.name} keeps dying: it {how}, the {self.failures}th time in a row; tried again every "
                f"{max(pause_s, FIRST_BACKOFF_S):g} to {MOST_BACKOFF_S:g} s. The end of {child.log}:\n"
                + last_lines(child.log)
            )


def how_it_ended(status: int) -> str:
    """An exit status (negative: a signal) in words."""
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"
