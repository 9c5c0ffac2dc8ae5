"""The receivers as the benchmark sees them: a process of their own that it speaks to by lines of JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.child import ChildFailed
from benchmarks.webhooks import arrivals
from benchmarks.webhooks.arrivals import Notes
from kairan.stack.child import LAUNCHER

Behaviour = tuple[str, Any]
"""A name of `behaviours.BEHAVIOURS`, and its delay, share or period, or None."""
_WITHIN_S = 60.0


class Street:
    """Receivers are numbered from 0 in the order in which they are opened. `folder` gets what they note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: asyncio.subprocess.Process | None = None
        self._asking = asyncio.Lock()
        self._written = 0
        self.samples: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), sys.executable, "-P"]
        self._child = await asyncio.create_subprocess_exec(
            *command,
            *("-m", "benchmarks.webhooks.receivers"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._child is not None and self._child.returncode is None:
            self._child.kill()
            await self._child.wait()

    async def open(self, behaviours: Sequence[Behaviour]) -> list[str]:
        """Opens receivers, each on an address of its own; their URLs."""
        urls: list[str] = (await self._ask({"open": behaviours}))["urls"]
        return urls

    async def become(self, receiver: int, behaviour: Behaviour) -> None:
        await self._ask({"become": {str(receiver): behaviour}})

    async def counts(self) -> dict[str, Any]:
        """`taken` (answered 2xx), `requests`, and the receivers' own `cpu_s`."""
        return await self._ask({"count": None})

    async def notes(self) -> Notes:
        """What was noted since the last call; a sample of whole requests is added to `samples`."""
        self._written += 1
        files = [self._folder / f"{kind}-{self._written}" for kind in ("arrivals", "samples")]
        await self._ask({"write": [str(file) for file in files]})
        self.samples += json.loads(files[1].read_text())
        return arrivals.read(files[0].read_bytes())

    async def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._child is not None
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        async with self._asking, asyncio.timeout(_WITHIN_S):
            self._child.stdin.write(json.dumps(command).encode() + b"\n")
            line = await self._child.stdout.readline()
        if not line:
            raise ChildFailed("the receivers have ended; their own words stand on stderr")
        answer: dict[str, Any] = json.loads(line)
        return answer
