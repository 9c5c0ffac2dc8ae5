"""`run/status.json`: the truth about a stack for people, scripts and tests; replaced whole at every change."""

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kairan.stack.home import Home
from kairan.stack.whole_file import replace


@dataclass(frozen=True)
class ProcessStatus:
    """`pid` is null while it waits to be started again; `url` is null for the broker and the database."""

    name: str
    role: str
    pid: int | None
    url: str | None
    restarts: int
    ops_url: str | None = None

    def as_json(self) -> dict[str, Any]:
        own = {"name": self.name, "role": self.role, "pid": self.pid, "url": self.url, "restarts": self.restarts}
        return own | ({"ops_url": self.ops_url} if self.ops_url else {})


@dataclass(frozen=True)
class StackStatus:
    ready: bool = False
    urls: dict[str, str] = field(default_factory=dict)
    bootstrap: str = ""
    kind: str = ""
    mongo: str = ""
    processes: tuple[ProcessStatus, ...] = ()
    ops_urls: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        own = {
            "ready": self.ready,
            "urls": self.urls,
            "kafka": {"bootstrap": self.bootstrap, "kind": self.kind},
            "mongo": self.mongo,
            "processes": [one.as_json() for one in self.processes],
        }
        return own | ({"ops_urls": self.ops_urls} if self.ops_urls else {})


class StatusFile:
    """Writes the status when it differs from what was written last."""

    def __init__(self, home: Home) -> None:
        self._file = home.status_file
        self._written = ""

    def write(self, status: StackStatus) -> None:
        text = json.dumps(status.as_json(), indent=1)
        if text != self._written:
            with suppress(OSError):  # a full disk must not end the supervision; the next change tries again
                replace(self._file, text + "\n")
                self._written = text


def read_status(home: Home) -> dict[str, Any] | None:
    """The status of a supervised home; None when nobody supervises it, whatever the file says."""
    if not home.is_locked():
        return None
    try:
        found: dict[str, Any] = json.loads(home.status_file.read_text())
    except (OSError, ValueError):
        return StackStatus().as_json()  # it is only just starting
    return found
