"""`python -m benchmarks.webhooks [--only NAME,…] [--json] [--share 0.05]`: each measure on a stack of its own."""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.child import ChildFailed
from benchmarks.result import Result, print_json, print_table
from benchmarks.scale import Scale
from benchmarks.webhooks import cost, hostile, latency, one_hangs, ordered, search, sustained, waiting
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import Stuck
from kairan.stack.errors import StackError

MEASURES: dict[str, Callable[[Scale, Size], Awaitable[Result]]] = {
    "cost": cost.run,
    "latency": latency.run,
    "sustained": sustained.run,
    "one-hangs": one_hangs.run,
    "waiting": waiting.run,
    "hostile": hostile.run,
    "search": search.run,
    "ordered": ordered.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all ran, whatever they saw: a missed goal is said, it is no failure. 1 when one could not run."""
    asked = _parser().parse_args(arguments)
    try:
        results = asyncio.run(_run(asked))
    except (StackError, ChildFailed, Stuck) as error:
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
        scale = Scale(Path(folder))
        for name in asked.only or MEASURES:
            scale.say(f"{name}: starting a stack")
            results.append(await MEASURES[name](scale, Size.share(asked.share)))
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.webhooks", description=__doc__)
    parser.add_argument("--only", type=_names, default=[], metavar="NAME,…", help=f"some of {', '.join(MEASURES)}")
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--share", type=float, default=1.0, help="of the full seconds and counts, 0 to 1 (default 1)")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in MEASURES]:
        raise argparse.ArgumentTypeError(f"no measure {', '.join(unknown)}; there are {', '.join(MEASURES)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
