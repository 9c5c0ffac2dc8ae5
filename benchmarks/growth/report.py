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
    single = [line for line in lines if not line.column]
    for number, line in enumerate(single):
        if number and line.row != single[number - 1].row:
            table.add_section()
        table.add_row(*cells(line))
    console = Console(width=None if Console().is_terminal else 160)
    if single:
        console.print(table)
    if peers := grid(lines):
        beside = Table(*peers[0], show_lines=True)
        for row in peers[1:]:
            beside.add_row(*row)
        console.print(beside)
    for said in _footnotes(told):
        console.print(said, highlight=False)


def print_markdown(lines: Sequence[Line], told: dict[str, Any]) -> None:
    single = [cells(line) for line in lines if not line.column]
    for rows in ([HEAD, *single] if single else [], grid(lines)):
        for number, row in enumerate(rows):
            print("| " + " | ".join(row) + " |")
            if number == 0:
                print("|" + " --- |" * len(row))
        if rows:
            print()
    print("\n".join(_footnotes(told)))


def print_json(lines: Sequence[Line], told: dict[str, Any]) -> None:
    print(json.dumps({"machine": machine(), **told, "lines": [line.as_json() for line in lines]}, indent=1))


def cells(line: Line) -> tuple[str, ...]:
    return line.row, line.what, line.goal, line.shown(line.seen), line.interval, f"{line.n:,}", line.met


def grid(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """Head and rows of the lines that are cells of a table, with their intervals; empty without such lines."""
    found = {(line.what, line.column): line for line in lines if line.column}
    if not found:
        return []
    columns, names = (list(dict.fromkeys(key[at] for key in found)) for at in (1, 0))
    head = ("n = " + ", ".join(sorted({str(line.n) for line in found.values()})), *columns)
    return [head, *((name, *(_cell(found.get((name, column))) for column in columns)) for name in names)]


def _cell(line: Line | None) -> str:
    return f"{line.shown(line.seen)} ({line.interval})" if line else ""


def _footnotes(told: dict[str, Any]) -> list[str]:
    here = machine()
    ran = f"seed {told['seed']}, scale {told['scale']:g}, {told['took_s']:.0f} s"
    return [*told["notes"], f"{ran}; {here['cores']} cores, load {here['load_1min']}, Python {here['python']}"]
