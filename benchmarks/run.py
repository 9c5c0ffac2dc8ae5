"""`python -m benchmarks.run [NAME…] [--json] [--seconds N]`: runs benchmarks, each on a stack of its own."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks import joins, page, projection, rebuild
from benchmarks.child import ChildFailed
from benchmarks.result import Result, print_json, print_table
from benchmarks.scale import Scale
from kairan.stack.errors import StackError

BENCHMARKS: dict[str, Callable[[Scale], Awaitable[Result]]] = {
    "joins": joins.run,
    "projection": projection.run,
    "page": page.run,
    "rebuild": rebuild.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all ran, whatever they saw; 1 when one could not run. A missed goal is said, it is no failure."""
    asked = _parser().parse_args(arguments)
    try:
        results = asyncio.run(_run(asked))
    except (StackError, ChildFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    (print_json if asked.json else print_table)(results)
    return 0


async def _run(asked: argparse.Namespace) -> list[Result]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results = []
    with tempfile.TemporaryDirectory(prefix="kairan-bench-", ignore_cleanup_errors=True) as folder:
        scale = Scale(Path(folder), asked.seconds, asked.joins, not asked.no_keys)
        for name in asked.names or BENCHMARKS:
            scale.say(f"{name}: starting a stack")
            results.append(await BENCHMARKS[name](scale))
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BENCHMARKS], help=", ".join(BENCHMARKS))
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--seconds", type=float, default=60.0, help="about how long each measures (default 60)")
    parser.add_argument("--joins", type=int, default=1_000_000, help="how many joins a rebuild reads (default 1000000)")
    parser.add_argument("--no-keys", action="store_true", help="send joins without Idempotency-Key")
    return parser


if __name__ == "__main__":
    sys.exit(main())
