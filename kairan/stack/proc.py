"""Which process is which: a process id alone may mean a stranger by now, together with its start time it does not."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Identity:
    """A process: its id, when the kernel started it (opaque; unique with the id), and its command line."""

    pid: int
    started: str
    command: str

    def as_json(self) -> dict[str, Any]:
        return {"pid": self.pid, "started": self.started, "command": self.command}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Identity":
        """Raises `KeyError`, `TypeError` or `ValueError` for what `as_json` did not make."""
        return cls(int(stored["pid"]), str(stored["started"]), str(stored["command"]))

    @property
    def alive(self) -> bool:
        """Whether this very process runs; one that waits for its parent to notice its death does not."""
        return _started(self.pid) == self.started and _command_matches(self.pid, self.command)

    def send(self, sign: signal.Signals) -> None:
        """Sends the signal if this very process still runs."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, sign)


def identity_of(pid: int, command: str | None = None) -> Identity:
    """Who runs under this id; `command` when it is about to become another one (exec)."""
    return Identity(pid, _started(pid), _command(pid) if command is None else command)


def stop_all(processes: list[Identity], deadline_s: float) -> None:
    """SIGTERM to all, SIGKILL to those that are left after `deadline_s`; returns when none is left."""
    for one in processes:
        one.send(signal.SIGCONT)
        one.send(signal.SIGTERM)
    if not wait_gone(processes, deadline_s):
        for one in processes:
            one.send(signal.SIGKILL)
        wait_gone(processes, 5)


def wait_gone(processes: list[Identity], timeout_s: float) -> bool:
    """Whether all of them have ended within the time."""
    deadline = time.monotonic() + timeout_s
    while any(one.alive for one in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _started(pid: int) -> str:
    """Empty when there is no such process, or a dead one that was not waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return "" if Path("/proc/self/stat").exists() else _ps(pid, "lstart")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return _ps(pid, "command")


def _command_matches(pid: int, command: str) -> bool:
    """Before its exec, a child's line is the launcher's, which ends with it; while it dies, with its files still open,
    it has none."""
    shown = _command(pid)
    return not shown or shown.endswith(command)


def _ps(pid: int, column: str) -> str:
    """Where there is no /proc."""
    done = subprocess.run(["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()
