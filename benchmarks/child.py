"""A child process of a benchmark: told what to do by JSON on stdin, it answers with JSON on stdout, then it is gone."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.scale import CouldNotRun
from kairan.stack.child import LAUNCHER


class ChildFailed(CouldNotRun):
    """A child of the benchmark ended badly, or not in time; its own words stand on stderr."""


async def answer_of(module: str, spec: Mapping[str, Any], within_s: float = 300) -> dict[str, Any]:
    """The answer of `python -m module` to `spec`. The child dies with this process. Raises ChildFailed."""
    command = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), sys.executable, "-P", "-m", module]
    child = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26
    )
    try:
        async with asyncio.timeout(within_s):
            said, _ = await child.communicate(json.dumps(spec).encode())
    except TimeoutError:
        raise ChildFailed(f"{module} did not end within {within_s:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        raise ChildFailed(f"{module} ended with status {child.returncode}")
    answer: dict[str, Any] = json.loads(said)
    return answer


def told() -> dict[str, Any]:
    """In a child: what it is told."""
    spec: dict[str, Any] = json.load(sys.stdin)
    return spec


def tell(answer: Mapping[str, Any]) -> None:
    """In a child: its answer."""
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
