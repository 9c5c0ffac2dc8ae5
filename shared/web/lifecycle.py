"""The parts of a process: started in order, stopped in reverse, all within the time that a SIGTERM leaves."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from shared.telemetry.logs import describe
from shared.telemetry.metrics import LOOP_LAG_SECONDS
from shared.web.health import Check, Health

_log = structlog.stdlib.get_logger(__name__)


class Part(Protocol):
    """Something that runs inside a service: a store, the relay, a consumer."""

    @property
    def name(self) -> str:
        """What logs call it."""

    async def start(self) -> None:
        """Begin. What it needs from the network it awaits in the background: the next part waits for this return.

        To raise here ends the process: only for what waiting does not cure.
        """

    async def stop(self) -> None:
        """End, and give back what is held; also called when `start` was cut short. A late one is cancelled."""


class Lifecycle:
    """Starts and stops the parts of one process, once."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._begun: list[Part] = []
        self.started = not self._parts
        """Whether all parts have started."""

    async def start(self) -> None:
        """Start the parts in order."""
        for part in self._parts:
            self._begun.append(part)
            await part.start()
        self.started = True

    async def stop(self, within_s: float) -> None:
        """Stop in reverse what has begun. No part gets more than half of the time left, so that the last has some."""
        deadline = time.monotonic() + within_s
        while self._begun:
            part = self._begun.pop()
            left = max(deadline - time.monotonic(), 0.2)
            try:
                async with asyncio.timeout(left / 2 if self._begun else left):
                    await part.stop()
            except Exception as error:
                _log.warning("part did not stop well", part=part.name, **describe(error))


class Heartbeat:
    """A part that notices when the event loop is stuck, and the check of life that says so."""

    name = "heartbeat"
    BEAT_S = 0.5
    STUCK_S = 10.0
    REMEMBER_BEATS = 60

    def __init__(self, health: Health) -> None:
        self._last = time.monotonic()
        self._late: list[float] = []
        self._task: asyncio.Task[None] | None = None
        health.add_live("loop", self.check)

    async def start(self) -> None:
        """See `Part`."""
        self._last = time.monotonic()
        self._task = asyncio.create_task(self._beat(), name="heartbeat")

    async def stop(self) -> None:
        """See `Part`."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def check(self) -> Check:
        """Failing when the beat is late by more than 10 s although this check runs."""
        overdue = time.monotonic() - self._last - self.BEAT_S if self._task is not None else 0.0
        worst = max([*self._late, overdue, 0.0])
        return Check(overdue < self.STUCK_S, {"worst_lag_s": round(worst, 3)})

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.BEAT_S)
            now = time.monotonic()
            self._late = [*self._late[1 - self.REMEMBER_BEATS :], max(now - self._last - self.BEAT_S, 0.0)]
            self._last = now
            LOOP_LAG_SECONDS.set(max(self._late))
