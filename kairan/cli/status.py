"""`kairan status`: what runs in a home, where, and whether it is ready."""

import sys
from typing import Any

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.home import Home
from kairan.stack.status import StackStatus, read_status

NOT_READY, NOT_RUNNING = 1, 3


def command(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Exit 0: ready; 1: it runs but is not ready; 3: nothing runs."""
    place = Home(home)
    running = read_status(place)
    if as_json:
        print_json(running or StackStatus().as_json())
    elif running:
        print(_in_words(running))
    else:
        print(f"kairan: nothing runs in {place.root}: start it by `kairan up`", file=sys.stderr)
    if not running:
        raise typer.Exit(NOT_RUNNING)
    if not running["ready"]:
        raise typer.Exit(NOT_READY)


def _in_words(status: dict[str, Any]) -> str:
    lines = ["ready" if status["ready"] else "not ready"]
    lines += [f"  {name:<14}{url}" for name, url in status["urls"].items()]
    lines += [f"  {'kafka':<14}{status['kafka']['bootstrap']} ({status['kafka']['kind']})"]
    lines += [f"  {'mongo':<14}{status['mongo']}", "processes"]
    for one in status["processes"]:
        where = one["url"] or ""
        pid = one["pid"] or "waiting to be started again"
        lines.append(f"  {one['name']:<14}{pid!s:<9}{one['restarts']} restarts  {where}".rstrip())
    return "\n".join(lines)
