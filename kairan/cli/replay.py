"""`kairan replay`: anybody's own joins and publications through a stack of their own, to a ledger."""

import asyncio
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from kairan.cli.options import print_json
from kairan.cli.own_streams import zone_named
from kairan.stack.stack import Stack
from kairan.year import report
from kairan.year.csv_streams import BadInput, Stream, read_folders, read_stream, read_time
from kairan.year.following import following
from kairan.year.stages import cancel_on_signals, ground, refuse_foreign_parts, speaker_for, stage
from kairan.year.stream_player import play_stream

USAGE, STOPPED = 2, 130


def command(
    joins: Annotated[Path | None, typer.Option(help="CSV: occurred_at,joins[,source_ref].")] = None,
    publications: Annotated[
        Path | None, typer.Option(help="CSV: id,kind,published_at,title_en[,title_ja,series_id,theme].")
    ] = None,
    streams: Annotated[
        Path | None, typer.Option(help="A folder of folders, each with joins.csv and publications.csv.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="TIME", help="The ledger as it was then; default: the end of the stream.")
    ] = None,
    home: Annotated[
        Path | None, typer.Option(file_okay=False, help="Keep the stack's home here; default: a temporary one.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(metavar="TZ", help="Of times without one, e.g. Asia/Tokyo.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only on stdout.")] = False,
) -> None:
    """Send recorded joins and publications through the public APIs of a stack of their own, and print the ledger.

    Joins are counted by the hour (rows of one hour are summed, hours without a row are 0, a row may say 0); the first
    and the last row bound the stream. Kinds: session_recording, minutes, article, magazine_issue, broadcast, and
    session (a held one, at its end). With --streams and --json the object holds one ledger per folder.
    """
    try:
        zone = zone_named(timezone)
        found = _read(joins, publications, streams, zone)
        if as_of is not None:
            moment = read_time(as_of, zone)
            found = [one.cut_at(moment) for one in found]
        if home is not None and (home / "data").exists():
            _refuse(f"{home} holds a stack already; name a new folder, or remove it")
    except (BadInput, ValueError) as error:
        _refuse(str(error))
    try:
        with _home(home) as place:
            asyncio.run(_run(found, place, as_json, several=streams is not None))
    except asyncio.CancelledError:
        _say("stopped")
        raise typer.Exit(STOPPED) from None


def _read(joins: Path | None, publications: Path | None, streams: Path | None, zone: tzinfo | None) -> list[Stream]:
    if streams is not None and joins is None and publications is None:
        return list(read_folders(streams, zone))
    if streams is None and joins is not None and publications is not None:
        return [read_stream(joins, publications, zone)]
    raise ValueError("give --joins FILE and --publications FILE, or --streams DIR")


async def _run(streams: Sequence[Stream], place: Path, as_json: bool, several: bool) -> None:
    cancel_on_signals()
    if several:
        await _run_several(streams, place, as_json)
        return
    async with stage(place, _say) as stack:
        answer = await _played(streams[0], stack)
    if as_json:
        print_json(answer)
    else:
        _print(answer, streams[0].name)


async def _run_several(streams: Sequence[Stream], place: Path, as_json: bool) -> None:
    refuse_foreign_parts(os.environ.get("KAIRAN_KAFKA", ""), os.environ.get("KAIRAN_MONGO", ""))
    answers = {}
    async with ground(place, _say) as earth:
        for stream in streams:
            _say(f"{stream.name}: {stream.joins:,} joins, {len(stream.published)} publications")
            async with earth.stage() as stack:
                answers[stream.name] = await _played(stream, stack)
            if not as_json:
                _print(answers[stream.name], stream.name)
    if as_json:
        print_json(answers)


async def _played(stream: Stream, stack: Stack) -> dict[str, Any]:
    prefix = f"replay-{hashlib.sha256(repr(stream).encode()).hexdigest()[:16]}"
    with following() as tell:
        async with speaker_for(stack, prefix) as speaker:
            ledger = await play_stream(stream, speaker, tell)
    return report.answer(ledger, stream.start)


def _print(answer: dict[str, Any], name: str) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=140)
    title = f"{name}: {answer['joins']:,} joins from {answer['from']} as of {answer['as_of']}"
    console.print(title, highlight=False, soft_wrap=True)
    console.print(report.table(answer))
    console.print()


@contextmanager
def _home(asked: Path | None) -> Iterator[Path]:
    """The home that was asked for, or a temporary one that stays only when something went wrong."""
    if asked is not None:
        yield asked
        return
    place = Path(tempfile.mkdtemp(prefix="kairan-replay-"))
    try:
        yield place
    except Exception:
        _say(f"what the services said is in {place}")
        raise
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place, ignore_errors=True)


def _refuse(words: str) -> NoReturn:
    _say(words)
    raise typer.Exit(USAGE)


def _say(line: str) -> None:
    print(f"kairan: {line}", file=sys.stderr, flush=True)
