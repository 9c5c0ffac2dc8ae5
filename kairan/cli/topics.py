"""`kairan topics apply`: creates the declared topics that are missing."""

import asyncio

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.reach import reach
from kairan.stack.home import Home
from kairan.stack.topics import apply_topics

app = typer.Typer()


@app.callback()
def topics() -> None:
    """The topics are declared in the code, once; nothing else creates them."""


@app.command("apply")
def apply(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Create what is missing, with replication min(3, brokers); topics that exist stay untouched."""
    place = Home(home)
    created = asyncio.run(apply_topics(reach(place).need(place).bootstrap))
    if as_json:
        print_json({"created": created})
    else:
        print("\n".join(f"created {name}" for name in created) or "every topic exists")
