"""From the options of `ledger` and `audit` to what they print: of two files, of many folders, or of a running stack."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import typer

from kairan.cli.own_streams import Knowing
from kairan.year.csv_streams import BadInput, folders
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
        elif self.streams is None and not all(files) or self.streams is not None and any(files):
            raise ValueError("give --joins FILE and --publications FILE, or --streams DIR, or none of them")


@dataclass(frozen=True)
class Printer:
    """What a command prints of a stream with its ledger."""

    as_object: Callable[[Judged], Any]
    as_text: Callable[[Judged], None]


def print_own(asked: Asked, printer: Printer) -> None:
    """The answer for files. Ends the command with 2 for a bad input, after whatever else could be printed."""
    _one_thread_each()
    try:
        asked.check()
        knowing = Knowing.asked(asked.timezone, asked.as_of)
        if asked.streams is not None:
            _print_many(folders(asked.streams), knowing, asked, printer)
            return
        assert asked.joins is not None
        assert asked.publications is not None
        stream = knowing.files(asked.joins, asked.publications)
    except (BadInput, ValueError) as error:
        refuse(str(error))
    if knowing.as_of is not None and knowing.as_of > stream.end:
        say(f"{stream.name} ends at {stream.end.isoformat()}: its ledger is as of then")
    print_judged(judge(stream), printer, as_json=asked.as_json, indent=1)


def print_judged(judged: Judged, printer: Printer, *, as_json: bool, indent: int | None) -> None:
    if as_json:
        print(json.dumps(printer.as_object(judged), indent=indent, ensure_ascii=False, allow_nan=False), flush=True)
        return
    printer.as_text(judged)
    sys.stdout.flush()


def refuse(words: str) -> NoReturn:
    say(words)
    raise typer.Exit(USAGE)


def say(line: str) -> None:
    print(f"kairan: {line}", file=sys.stderr, flush=True)


def _print_many(found: list[Path], knowing: Knowing, asked: Asked, printer: Printer) -> None:
    from kairan.cli.many_streams import Fault, judge_folders

    faults = []
    every = judge_folders(found, knowing, asked.jobs)
    try:
        with _progress(len(found)) as tell:
            for done, one in enumerate(every, start=1):
                if isinstance(one, Fault):
                    faults.append(one)
                    say(one.words)
                else:
                    print_judged(one, printer, as_json=asked.as_json, indent=None)
                tell(done)
    finally:
        every.close()
    if faults:
        say(f"{len(faults)} of {len(found)} streams could not be used")
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
