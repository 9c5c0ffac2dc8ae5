"""A home: the folder that holds everything of one stack, and the lock that says who supervises it."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kairan.stack.errors import BadSetting, HomeInUse
from kairan.stack.proc import Identity, identity_of
from kairan.stack.whole_file import replace

DEFAULT_HOME = ".kairan"
LOOKERS_S = 1.0


class Home:
    """The paths of a home; nothing is created before `prepare`."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().absolute()
        self.data = self.root / "data"
        self.logs = self.root / "logs"
        self.keys = self.root / "keys"
        self.run = self.root / "run"
        self.status_file = self.run / "status.json"
        self.ports_file = self.run / "ports.json"
        self.processes_file = self.run / "processes.json"
        self.supervisor_file = self.run / "supervisor.json"
        self.jwks_file = self.keys / "jwks.json"
        self.notify_key_file = self.keys / "notify-secrets.key"

    def prepare(self) -> None:
        """Makes the folders, for this user alone. Raises `BadSetting` where that cannot be."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.data, self.logs, self.keys, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)
            replace(self.run / "writable", "")
        except OSError as error:
            raise BadSetting(
                f"the home {self.root} cannot be written ({error.strerror}); name another by --home"
            ) from error

    def make_notify_key(self, elsewhere: Path | None = None) -> Path:
        """The key under which notify keeps its endpoints' secrets; made once. Losing it loses those secrets."""
        file = elsewhere or self.notify_key_file
        if not file.exists():
            from cryptography.fernet import Fernet  # most commands only look, and start without it

            replace(file, Fernet.generate_key().decode())
        return file

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the home while it is supervised or cleaned. Raises `HomeInUse` when somebody else holds it."""
        self.prepare()
        with (self.run / "lock").open("a") as lock:
            self._take(lock)
            replace(self.supervisor_file, json.dumps(identity_of(os.getpid()).as_json()))
            try:
                yield
            finally:
                self.supervisor_file.unlink(missing_ok=True)

    def _take(self, lock: IO[str]) -> None:
        """Who only looks (`is_locked`) holds the lock for an instant: that is waited for, a supervisor is not."""
        deadline = time.monotonic() + LOOKERS_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = self.supervisor()
                if (holder and holder.alive) or time.monotonic() > deadline:
                    who = f" (process {holder.pid})" if holder else ""
                    ways = "`kairan down` stops it, --home DIR starts another beside it"
                    raise HomeInUse(f"a stack lives in {self.root}{who}: {ways}") from None
                time.sleep(0.02)
            else:
                return

    def is_locked(self) -> bool:
        """Whether a living process supervises this home."""
        try:
            with (self.run / "lock").open("r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def supervisor(self) -> Identity | None:
        """Who wrote down that it supervises this home; it need not live any more."""
        try:
            return Identity.from_json(json.loads(self.supervisor_file.read_text()))
        except (OSError, ValueError, KeyError, TypeError):
            return None
