"""One operating system process of the stack: started with a log, watched without polling, stopped with a deadline."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
LOG_LIMIT_BYTES = 10 * 1024 * 1024


def open_log(path: Path) -> int:
    """A descriptor that appends to `path`; a log above the limit becomes `<name>.1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT_BYTES:
            os.replace(path, path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log, for an error message; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


class Child:
    """A running process. It dies with the process that started it; a terminal's Ctrl-C does not reach it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.command = " ".join(command)
        self.started_at = time.monotonic()
        wrapped = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command]
        descriptor = open_log(log)
        try:
            self._process = subprocess.Popen(
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                cwd=folder,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def exit_status(self) -> int:
        """Negative: the signal that killed it. Only after it has ended."""
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.started_at

    async def wait(self) -> int:
        """Returns the exit status (negative: the signal) as soon as the process has ended."""
        if hasattr(os, "pidfd_open"):
            await self._wait_for_descriptor()
        while self.alive:  # noqa: ASYNC110  where the kernel has no pidfd there is nothing to wait on
            await asyncio.sleep(0.05)
        return self._process.wait()

    async def _wait_for_descriptor(self) -> None:
        if not self.alive:
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        descriptor = os.pidfd_open(self.pid)
        loop.add_reader(descriptor, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def send(self, sign: signal.Signals) -> None:
        if self.alive:
            self._process.send_signal(sign)

    async def stop(self, deadline_s: float) -> None:
        """SIGTERM, then SIGKILL when it has not ended after `deadline_s`."""
        self.send(signal.SIGCONT)  # a paused process would not hear the next one
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(deadline_s):
                await self.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.wait()
