"""Stops the stack of a home from outside: its supervisor if one lives, else what a killed one left behind."""

import signal
import time
from dataclasses import dataclass

from kairan.stack.errors import HomeInUse, StackError
from kairan.stack.home import Home
from kairan.stack.leftovers import stop_leftovers
from kairan.stack.status import StackStatus, StatusFile

STOP_TIMEOUT_S = 25.0


@dataclass(frozen=True)
class Stopped:
    """Whether a supervisor was stopped, and the names of the processes that had none."""

    stopped: bool
    leftovers: list[str]


def bring_down(home: Home) -> Stopped:
    """Returns when nothing of this home runs. Raises `StackError` when it does not end."""
    if not home.root.exists():
        return Stopped(False, [])
    stopped = _stop_supervisor(home)
    try:
        with home.locked():
            leftovers = stop_leftovers(home.processes_file)
            if home.status_file.exists():
                StatusFile(home).write(StackStatus())
    except HomeInUse as error:
        raise StackError(f"the supervisor does not end: {error}") from error
    return Stopped(stopped, leftovers)


def _stop_supervisor(home: Home) -> bool:
    if not home.is_locked():
        return False
    while (supervisor := home.supervisor()) is None and home.is_locked():
        time.sleep(0.02)  # it has only just begun
    if supervisor is not None:
        supervisor.send(signal.SIGTERM)
        if not _released(home, STOP_TIMEOUT_S):
            supervisor.send(signal.SIGKILL)
    return _released(home, 5.0)


def _released(home: Home, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while home.is_locked():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
