"""`python -m benchmarks.growth [--rows 1,2] [--scale 0.1] [--n ROW=N] [--seed N] [--json | --markdown]`."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from benchmarks.growth import alarms, cost, cover, credit, real, report, stars
from benchmarks.growth.line import Line
from benchmarks.growth.peers.study import peers
from benchmarks.growth.study import Study, run

SEED = 20261123  # nothing was tuned on it
WORKERS = 2
# By name: how a study is made, and its n (what of, its function says).
STUDIES: Mapping[str, tuple[Callable[[int, int], Study], int]] = {
    "9": (cost.cost, 9),
    "7": (credit.large_years, 8),
    "1": (alarms.false_alarms, 2010),
    "1hard": (alarms.hard_false_alarms, 200),
    "2": (alarms.power, 500),
    "4": (cover.cover, 150),
    "5": (credit.years, 15),
    "8": (real.real, 80),
    "peers": (peers, 80),
}
WITH = {"1": ("1", "1hard"), "3": ("2",), "6": ("5",)}  # rows that are lines of another's study


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all ran, whatever they saw: a missed goal is said, it is no failure."""
    asked = _parser().parse_args(arguments)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the workers inherit it: each is one of two
    begun = time.monotonic()
    notes: list[str] = []
    lines: list[Line] = []
    try:
        for study, found in run(_studies(asked, notes), WORKERS):
            notes += [f"{study.name}: {note}" for note in study.notes]
            lines += found
    except KeyboardInterrupt:
        return 130
    lines.sort(key=lambda line: ("0" if line.row.isdigit() else "1") + line.row)
    told = {"seed": asked.seed, "scale": asked.scale, "took_s": round(time.monotonic() - begun, 1), "notes": notes}
    printed = report.print_json if asked.json else report.print_markdown if asked.markdown else report.print_table
    printed(lines, told)
    return 0


def _studies(asked: argparse.Namespace, notes: list[str]) -> list[Study]:
    names = [name for row in asked.rows for name in WITH.get(row, (row,))] or list(STUDIES)
    own = dict(asked.n)
    chosen = []
    for name in (name for name in STUDIES if name in names):
        why = stars.why_absent() if name == "8" else None
        if why:
            notes.append(f"row 8 was left out: {why}")
            continue
        make, n = STUDIES[name]
        chosen.append(make(own.get(name, max(1, round(n * asked.scale))), asked.seed))
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--rows", type=_rows, default=[], help=f"some of {', '.join(sorted({*STUDIES, *WITH}))}")
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of streams")
    parser.add_argument("--n", type=_own, action="append", default=[], metavar="ROW=N", help="streams of one study")
    parser.add_argument("--seed", type=int, default=SEED, help=f"draws other streams (default {SEED})")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON only")
    form.add_argument("--markdown", action="store_true", help="print a Markdown table")
    return parser


def _rows(text: str) -> list[str]:
    rows = text.split(",")
    if unknown := [row for row in rows if row not in STUDIES and row not in WITH]:
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}")
    return rows


def _own(text: str) -> tuple[str, int]:
    name, equals, number = text.partition("=")
    if name not in STUDIES or not equals or not number.isdigit() or int(number) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not STUDY=N with a study of {', '.join(STUDIES)}")
    return name, int(number)


if __name__ == "__main__":
    sys.exit(main())
