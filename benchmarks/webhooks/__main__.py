"""`python -m benchmarks.webhooks [--only NAME,…] [--json] [--share 0.05]`: each measure on a stack of its own."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from benchmarks import session
from benchmarks.result import Result
from benchmarks.scale import Scale
from benchmarks.webhooks import cost, hostile, latency, one_hangs, ordered, search, sustained, waiting
from benchmarks.webhooks.size import Size

MEASURES: dict[str, Callable[..., Awaitable[Result]]] = {
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
    """The exit code of `session.hold`."""
    asked = _parser().parse_args(arguments)
    size = Size.share(asked.share)
    chosen = {name: partial(MEASURES[name], size=size) for name in asked.only or MEASURES}
    return session.hold(chosen, Scale, as_json=asked.json)


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
