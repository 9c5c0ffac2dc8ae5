"""`kairan demo`: a community's year through a real stack, its ledger beside the truth, and the page."""

import asyncio
import contextlib
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from kairan.cli.options import print_json
from kairan.stack.home import DEFAULT_HOME, Home
from kairan.stack.leftovers import stop_leftovers
from kairan.stack.stack import Stack
from kairan.year import report
from kairan.year.community import Year
from kairan.year.following import following
from kairan.year.player import play
from kairan.year.simulate import simulate
from kairan.year.speaker import Speaker
from kairan.year.stages import cancel_on_signals, speaker_for, stage

LEDGER_FILE = "ledger.json"
SEED = 2021
STOPPED = 130


def command(
    home: Annotated[
        Path | None,
        typer.Option(help="Where the demo lives; emptied first. Default: `demo` in KAIRAN_HOME or .kairan."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which year: every seed is another one.")] = SEED,
    as_json: Annotated[bool, typer.Option("--json", help="Print the object of ledger.json only, and stop.")] = False,
) -> None:
    """Play a community's year (2,500 to 5,100 members) through a real stack, and print its ledger beside the truth.

    The ledger is written to ledger.json in the demo's home. On a terminal the page stays open until Ctrl-C; without one
    everything is stopped in the end.
    """
    place = home or Path(os.environ.get("KAIRAN_HOME") or DEFAULT_HOME) / "demo"
    try:
        asyncio.run(_run(place, seed, as_json))
    except asyncio.CancelledError:
        _say("stopped")
        raise typer.Exit(STOPPED) from None


async def _run(place: Path, seed: int, as_json: bool) -> None:
    cancel_on_signals()
    year = simulate(seed)
    _make_fresh(Home(place))
    _say("starting a broker, a database and four services")
    async with stage(place, _say) as stack:
        answer = await _played(year, stack)
        file = place / LEDGER_FILE
        file.write_text(json.dumps(answer, indent=1) + "\n")
        if as_json:
            print_json(answer)
            return
        _print(answer, file)
        if sys.stdout.isatty():
            await _leave_open(stack, place)


async def _played(year: Year, stack: Stack) -> dict[str, Any]:
    prefix = f"year-{year.seed}-{year.members_to}"
    with following() as tell:
        async with speaker_for(stack, prefix) as speaker:
            ledger = await play(year, speaker, tell)
            members = [await _members(speaker, moment) for moment in (year.start, year.end)]
    return report.beside_truth(report.answer(ledger, year.start), year.truth, *members)


async def _members(speaker: Speaker, moment: datetime) -> int:
    """As metrics counts them."""
    found = await speaker.read("metrics", f"/v1/members?as_of={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return int(found["members"])


def _print(answer: dict[str, Any], file: Path) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=120)
    console.print("The publication ledger, beside the truth of the simulator (referrals included)")
    console.print(report.table(answer))
    members = f"{answer['members_from']:,} members became {answer['members_to']:,}."
    console.print(f"\n{members} {report.verdict_in_words(answer)}", highlight=False, soft_wrap=True)
    console.print(f"Written to {file}", highlight=False, soft_wrap=True)


async def _leave_open(stack: Stack, place: Path) -> None:
    print(f"\nThe page, by a link that works once within ten minutes:\n  {stack.page_link}")
    print(f"`kairan link --home {place}` makes another. Ctrl-C stops everything.", flush=True)
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def _make_fresh(home: Home) -> None:
    """Empties the demo's home. Raises `HomeInUse` when another demo is still open in it."""
    with home.locked():
        stop_leftovers(home.processes_file)
        for folder in (home.data, home.logs, home.keys):
            shutil.rmtree(folder, ignore_errors=True)
        home.status_file.unlink(missing_ok=True)
        (home.root / LEDGER_FILE).unlink(missing_ok=True)


def _say(line: str) -> None:
    print(f"kairan: {line}", file=sys.stderr, flush=True)
