"""The lines as a table for people, as JSON for scripts, as Markdown for a page."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.growth.line import Line
from benchmarks.result import machine

HEAD = ("row", "measure", "goal", "seen", "95 % interval", "n", "met")


def print_table(lines: Sequence[Line], told: dict[str, Any]) -> None:
    table = Table(*HEAD)
    for number, line in enumerate(lines):
        if number and line.row != lines[number - 1].row:
            table.add_section()
        table.add_row(*cells(line))
    console = Console(width=None if Console().is_terminal else 160)
    console.print(table)
    for said in _footnotes(told):
        console.print(said, highlight=False)


def print_markdown(lines: Sequence[Line], told: dict[str, Any]) -> None:
    rows = [HEAD, tuple("---" for _ in HEAD), *map(cells, lines)]
    print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    print("\n" + "\n".join(_footnotes(told)))


def print_json(lines: Sequence[Line], told: dict[str, Any]) -> None:
    print(json.dumps({"machine": machine(), **told, "lines": [line.as_json() for line in lines]}, indent=1))


def cells(line: Line) -> tuple[str, ...]:
    return line.row, line.what, line.goal, line.shown(line.seen), line.interval, f"{line.n:,}", line.met


def _footnotes(told: dict[str, Any]) -> list[str]:
    here = machine()
    ran = f"seed {told['seed']}, scale {told['scale']:g}, {told['took_s']:.0f} s"
    return [*told["notes"], f"{ran}; {here['cores']} cores, load {here['load_1min']}, Python {here['python']}"]
