"""From the options of `ledger` and `audit` to what they print: of two files, of many folders, or of a running stack."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from kairan.cli.own_streams import Knowing
from kairan.stack.home import Home
from kairan.year.csv_streams import HOUR, BadInput, folders
from kairan.year.judged import Judged, judge

FAILED, USAGE = 1, 2


@dataclass(frozen=True)
class Asked:
    """The options as they were typed."""

    joins: Path | None
    publications: Path | None
    streams: Path | None
    as_of: str | None
    timezone: str | None
    jobs: int | None
    home: Path
    as_json: bool

    @property
    def of_a_stack(self) -> bool:
        return self.joins is None and self.publications is None and self.streams is None

    def check(self) -> None:
        """Raises ValueError, in words, where the options do not go together."""
        files = self.joins is not None, self.publications is not None
        if self.of_a_stack:
            if self.as_of or self.timezone:
                raise ValueError("--as-of and --timezone go with files; a running stack is shown as of its now")
        elif any(files) if self.streams is not None else not all(files):
            raise ValueError("give --joins FILE and --publications FILE, or --streams DIR, or none of them")


@dataclass(frozen=True)
class Printer:
    """What a command prints of a stream with its ledger, and where it finds that of a running stack."""

    as_object: Callable[[Judged], Any]
    as_text: Callable[[Judged], None]
    running: Callable[[Home], Judged]


def print_asked(asked: Asked, printer: Printer) -> None:
    """The command's whole answer. Ends it with 2 for a bad input, after whatever else could be printed.

    Raises `StackError` where a running stack is asked for and none answers.
    """
    _one_thread_each()
    try:
        asked.check()
        knowing = Knowing.asked(asked.timezone, asked.as_of)
        several = folders(asked.streams) if asked.streams is not None else []
        own = knowing.files(asked.joins, asked.publications) if asked.joins and asked.publications else None
    except (BadInput, ValueError) as error:
        _refuse(str(error))
    if several:
        _print_many(several, knowing, asked, printer)
        return
    if own is not None and knowing.as_of is not None and knowing.as_of - own.end >= HOUR:
        _say(f"{own.name} ends at {own.end.isoformat()}: its ledger is as of then")
    judged = judge(own) if own is not None else printer.running(Home(asked.home))
    _print(judged, printer, as_json=asked.as_json, indent=1)


def _print(judged: Judged, printer: Printer, *, as_json: bool, indent: int | None) -> None:
    if as_json:
        plain = sys.stdout.encoding.lower() not in ("utf-8", "utf8")
        print(json.dumps(printer.as_object(judged), indent=indent, ensure_ascii=plain, allow_nan=False), flush=True)
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a title in Japanese must not end a terminal that has none
    printer.as_text(judged)
    sys.stdout.flush()


def _refuse(words: str) -> NoReturn:
    _say(words)
    raise typer.Exit(USAGE)


def _say(line: str) -> None:
    print(f"kairan: {line}", file=sys.stderr, flush=True)


def _print_many(found: list[Path], knowing: Knowing, asked: Asked, printer: Printer) -> None:
    from kairan.cli.many_streams import Fault, judge_folders

    faults = []
    with closing(judge_folders(found, knowing, asked.jobs)) as every, _progress(len(found)) as tell:
        for done, one in enumerate(every, start=1):
            if isinstance(one, Fault):
                faults.append(one)
                _say(one.words)
            else:
                _print(one, printer, as_json=asked.as_json, indent=None)
            tell(done)
    if faults:
        _say(f"{len(faults)} of {len(found)} streams could not be used")
        raise typer.Exit(FAILED if any(one.ours for one in faults) else USAGE)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """On stderr; where the ledgers themselves appear on a terminal, they are the progress."""
    if sys.stdout.isatty():
        yield lambda done: None
        return
    from kairan.year.following import following

    with following(sys.stderr) as tell:
        yield lambda done: tell("streams", done, total)


def _one_thread_each() -> None:
    """Before numpy is imported: its matrices here are small, and processes share the cores already."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
