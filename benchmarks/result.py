"""What a benchmark reports: figures with their goals, as a table for people and as JSON for scripts."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One number. `at_least` or `at_most` is its goal, where it has one."""

    what: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return "" if self.at_most is None else f"≤ {self.at_most:,g}"

    def as_json(self) -> dict[str, Any]:
        goals = {"at_least": self.at_least, "at_most": self.at_most, "met": self.met}
        seen = {"what": self.what, "value": round(self.value, 4), "unit": self.unit}
        return seen | {name: value for name, value in goals.items() if value is not None}


@dataclass(frozen=True)
class Result:
    """All figures of one benchmark; `notes` say what a reader must know to judge them."""

    name: str
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "figures": [one.as_json() for one in self.figures], "notes": list(self.notes)}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0 to 1) of them do not exceed; nan of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def machine() -> dict[str, Any]:
    """Where the figures were seen; a load above the number of cores says that others were at work."""
    return {
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
    }


def print_json(results: Sequence[Result]) -> None:
    print(json.dumps({"machine": machine(), "results": [one.as_json() for one in results]}, indent=1))


def print_table(results: Sequence[Result]) -> None:
    table = Table("benchmark", "figure")
    for name in ("seen", "unit", "goal", "met"):
        table.add_column(name, justify="right" if name in ("seen", "goal") else "left")
    for result in results:
        for n, one in enumerate(result.figures):
            met = {None: "", True: "yes", False: "NO"}[one.met]
            table.add_row(result.name if n == 0 else "", one.what, f"{one.value:,.4g}", one.unit, one.goal, met)
        table.add_section()
    console = Console(width=None if Console().is_terminal else 120)
    console.print(table)
    for result in results:
        for note in result.notes:
            console.print(f"{result.name}: {note}", highlight=False)
    told = machine()
    console.print(f"{told['cores']} cores, load {told['load_1min']}, Python {told['python']}, {told['system']}")
