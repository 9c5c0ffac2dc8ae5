"""What a supervisor has started is written down, so that the next one finds it if this one is killed."""

import json
from contextlib import suppress
from pathlib import Path

from kairan.stack.child import Child
from kairan.stack.proc import Identity, identity_of, stop_all
from kairan.stack.whole_file import replace

STOP_DEADLINE_S = 10.0


class ProcessBook:
    """The processes of one home by name, on disk."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._running: dict[str, Identity] = {}

    def add(self, child: Child) -> None:
        self._running[child.name] = identity_of(child.pid, child.command)
        self._write()

    def clear(self) -> None:
        self._running.clear()
        self._write()

    def _write(self) -> None:
        with suppress(OSError):  # a full disk must not end the supervision, and where it can the kernel cleans up, too
            replace(self._file, json.dumps({name: one.as_json() for name, one in self._running.items()}, indent=1))


def stop_leftovers(file: Path) -> list[str]:
    """Stops what a book lists and still runs, and returns the names. Call it while holding the home's lock."""
    try:
        listed = {str(name): Identity.from_json(one) for name, one in json.loads(file.read_text()).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    left = {name: one for name, one in listed.items() if one.alive}
    stop_all(list(left.values()), STOP_DEADLINE_S)
    file.unlink(missing_ok=True)
    return sorted(left)
