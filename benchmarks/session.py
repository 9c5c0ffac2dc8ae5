"""Benchmarks one after the other, in a folder that is thrown away, until all have run or the user ends it."""

import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from benchmarks.result import Result, print_json, print_table
from benchmarks.scale import CouldNotRun, Scale
from kairan.stack.errors import StackError

Benchmark = Callable[[Scale], Awaitable[Result]]


def hold(benchmarks: Mapping[str, Benchmark], scale_in: Callable[[Path], Scale], *, as_json: bool) -> int:
    """The exit code: 0 when all ran, whatever they saw (a missed goal is said, it is no failure); 1 when one could
    not run; 130 when SIGINT or SIGTERM ended it."""
    try:
        results = asyncio.run(_run(benchmarks, scale_in))
    except (StackError, CouldNotRun) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    (print_json if as_json else print_table)(results)
    return 0


async def _run(benchmarks: Mapping[str, Benchmark], scale_in: Callable[[Path], Scale]) -> list[Result]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = []
    with tempfile.TemporaryDirectory(prefix="kairan-bench-", ignore_cleanup_errors=True) as folder:
        scale = scale_in(Path(folder))
        for name, run in benchmarks.items():
            scale.say(f"{name}: starting a stack")
            results.append(await run(scale))
    return results
