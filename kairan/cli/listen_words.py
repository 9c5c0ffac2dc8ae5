"""What `kairan listen` prints of a request: JSON, a line in colour on a terminal, a plain line elsewhere."""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from kairan.cli.printable import printable

if TYPE_CHECKING:
    from kairan.cli.listen_receiver import Heard


def printer(as_json: bool) -> "Callable[[Heard], None]":
    """Prints each at once."""
    if as_json:
        return lambda heard: print(json_line(heard), flush=True)
    if not sys.stdout.isatty():
        return lambda heard: print("  ".join(parts(heard)), flush=True)
    return _in_colour()


def json_line(heard: "Heard") -> str:
    """In ASCII: an event may hold what a terminal obeys or a reader takes for the end of a line."""
    names = ("id", "verified", "reason", "type", "subject", "sequence", "attempt", "event", "answered", "repeat")
    return json.dumps({name: getattr(heard, name) for name in names})


def parts(heard: "Heard") -> list[str]:
    """The columns of a line, without what a terminal obeys."""
    time = f"{datetime.now().astimezone():%H:%M:%S}"
    delivery = printable(heard.id or "without an id")
    if not heard.verified or heard.event is None:
        return [time, f"refused {heard.answered}", heard.reason or "", delivery]
    notes = [f"attempt {heard.attempt}"] if (heard.attempt or 1) > 1 else []
    notes += ["repeat"] if heard.repeat else []
    notes += [f"answered {heard.answered}"] if heard.answered >= 300 else []
    number = f"#{heard.sequence}" if heard.sequence is not None else "#-"
    return [time, "verified", printable(heard.type or "-"), printable(heard.subject or "-"), number, *notes, delivery]


def _in_colour() -> "Callable[[Heard], None]":
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)

    def show(heard: "Heard") -> None:
        time, verdict, first, *rest = parts(heard)
        good = heard.verified and heard.event is not None
        said = Text.assemble((time, "dim"), "  ", (verdict, "green" if good else "bold red"), "  ", (first, "bold"))
        console.print(said.append("  " + "  ".join(rest), "dim"))

    return show
