"""`kairan topics apply`: creates the declared topics that are missing."""

import asyncio
from typing import Annotated

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.reach import reach
from kairan.stack.external import wait_for_kafka
from kairan.stack.home import Home
from kairan.stack.topics import apply_topics

app = typer.Typer()
WAIT_FOR_BROKERS_S = 120.0


@app.callback()
def topics() -> None:
    """The topics are declared in the code, once; nothing else creates them."""


@app.command("apply")
def apply(
    brokers: Annotated[
        int | None, typer.Option(min=1, help="Wait until so many brokers answer, at most two minutes.")
    ] = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Create what is missing, with replication min(3, brokers); topics that exist stay untouched."""
    place = Home(home)
    created = asyncio.run(_apply(reach(place).need(place).bootstrap, brokers))
    if as_json:
        print_json({"created": created})
    else:
        print("\n".join(f"created {name}" for name in created) or "every topic exists")


async def _apply(bootstrap: str, brokers: int | None) -> list[str]:
    if brokers:
        await wait_for_kafka(bootstrap, WAIT_FOR_BROKERS_S, brokers)
    return await apply_topics(bootstrap)
