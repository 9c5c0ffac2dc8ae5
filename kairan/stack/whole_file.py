"""Replaces a file whole: a reader sees the old text or the new one, never half of either."""

import os
import tempfile
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Writes `text` to `path` (mode 0600), making its folder when there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    os.replace(fresh, path)
