"""An embedded part (a broker, a database): how every one of them is started, probed, killed and stopped."""

import asyncio
import os
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from kairan.stack.child import Child, last_lines
from kairan.stack.errors import StartFailed
from kairan.stack.ports import KeptPorts


class Part(ABC):
    """One embedded part with its own folder and log. `start` may be called again after `kill` or `stop`.

    The address is known from construction on, and can change only inside `spawn`, when the port was taken meanwhile.
    """

    name: ClassVar[str]
    start_timeout_s: ClassVar[float] = 60

    def __init__(self, folder: Path, log: Path, ports: KeptPorts | None = None) -> None:
        self.folder = folder
        self.log = log
        self.ports = ports or KeptPorts(folder.with_name(folder.name + "-ports.json"))
        self.child: Child | None = None
        self.port = self.ports.take(self.name)

    @abstractmethod
    def command(self) -> list[str]:
        """Called before every start, with `self.port` settled: writes what the process needs, returns its command.

        It is run in `self.folder`.
        """

    @abstractmethod
    async def answers(self) -> bool:
        """One probe of at most two seconds: whether clients can work with it now. A part that is down is no error."""

    async def prepare(self) -> None:  # noqa: B027  most parts need none
        """Called once before the first start; may take minutes (downloads). Raises `MissingPart`."""

    def spawn(self) -> Child:
        """Starts the process and returns at once."""
        self.port = self.ports.take(self.name)
        self.folder.mkdir(parents=True, exist_ok=True)
        # Java reads paths in the locale's encoding, and a home may be named in any language.
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        self.child = Child(self.name, self.command(), self.log, env, self.folder)
        return self.child

    async def wait_answering(self) -> None:
        """Returns when it answers; raises `StartFailed` when it ended, or is silent for `start_timeout_s`."""
        assert self.child is not None
        deadline = time.monotonic() + self.start_timeout_s
        while not await self.answers():
            if not self.child.alive:
                raise StartFailed(f"{self.name} ended while it started; the end of {self.log}:\n{last_lines(self.log)}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} did not answer within {self.start_timeout_s:g} s; see {self.log}")
            await asyncio.sleep(0.05)

    async def start(self) -> None:
        await self.prepare()
        self.spawn()
        try:
            await self.wait_answering()
        except BaseException:
            await self.stop(0)
            raise

    async def kill(self) -> None:
        """kill -9; what is on disk stays."""
        if self.child is not None:
            await self.child.kill()

    async def restart(self) -> None:
        """Starts it again after `kill`, with the data it had, and waits until it answers."""
        await self.kill()
        self.spawn()
        await self.wait_answering()

    async def stop(self, deadline_s: float = 10) -> None:
        if self.child is not None:
            await self.child.stop(deadline_s)
