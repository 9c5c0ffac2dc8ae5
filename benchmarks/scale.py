"""How large a run is, where it lives, and how it says what it does."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


class CouldNotRun(Exception):
    """A benchmark came to no result; the message says why."""


@dataclass(frozen=True)
class Scale:
    """`seconds`: about how long one benchmark measures; `joins`: how many a rebuild reads; `keys`: whether joins carry
    an Idempotency-Key. `folder` holds the homes of the stacks and is thrown away."""

    folder: Path
    seconds: float = 60.0
    joins: int = 1_000_000
    keys: bool = True
    _started: float = field(default_factory=time.monotonic)

    def home(self, name: str) -> Path:
        return self.folder / name

    def say(self, line: str) -> None:
        """Progress, on stderr."""
        print(f"{time.monotonic() - self._started:6.1f} s  {line}", file=sys.stderr, flush=True)
