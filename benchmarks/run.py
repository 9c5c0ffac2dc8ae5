"""`python -m benchmarks.run [NAME…] [--json] [--seconds N]`: runs benchmarks, each on a stack of its own."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import joins, page, projection, rebuild, session
from benchmarks.scale import Scale
from benchmarks.session import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    "joins": joins.run,
    "projection": projection.run,
    "page": page.run,
    "rebuild": rebuild.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of `session.hold`."""
    asked = _parser().parse_args(arguments)
    return session.hold(
        {name: BENCHMARKS[name] for name in asked.names or BENCHMARKS},
        lambda folder: Scale(folder, asked.seconds, asked.joins, not asked.no_keys),
        as_json=asked.json,
    )


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
