"""Progress for whoever watches: moving bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # who only counts needs no HTTP client, and who watches no lines needs no bars
    from rich.progress import TaskID

    from kairan.year.player import Tell

LINE_EVERY_S = 5.0


@contextmanager
def following(out: TextIO = sys.stderr) -> "Iterator[Tell]":
    """Gives the function that hears of progress while the block runs."""
    if out.isatty():
        with _bars(out) as tell:
            yield tell
    else:
        yield _lines(out)


@contextmanager
def _bars(out: TextIO) -> "Iterator[Tell]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(file=out), redirect_stdout=False) as progress:

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield tell


def _lines(out: TextIO) -> "Tell":
    said: dict[str, tuple[float, int]] = {}

    def tell(what: str, done: int, total: int) -> None:
        when, before = said.get(what, (-LINE_EVERY_S, -1))
        due = time.monotonic() - when >= LINE_EVERY_S or done == total
        if due and done != before:
            said[what] = (time.monotonic(), done)
            print(f"{what}: {done:,} of {total:,}", file=out, flush=True)

    return tell
