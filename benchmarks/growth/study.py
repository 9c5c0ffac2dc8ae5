"""A study: many streams, each looked at by itself in one of two processes, and the lines that they make together."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.growth.line import Line

CHUNKS = 40  # a study: few enough to cost nothing, many enough to see it move


@dataclass(frozen=True)
class Study:
    """`look` is a top-level function (it travels to another process) from one of `cases` to what was seen of it; with
    `together`, from many of them to a list.

    `lines` gets what was seen in the order of the cases. `notes` say what a reader must know.
    """

    name: str
    cases: Sequence[Any]
    look: Callable[[Any], Any]
    lines: Callable[[Sequence[Any]], Sequence[Line]]
    notes: Sequence[str] = field(default_factory=tuple)
    together: bool = False

    def look_at(self, cases: Sequence[Any]) -> list[Any]:
        """What was seen of each case."""
        if not self.together:
            return [_look(self.look, case, case) for case in cases]
        return list(_look(self.look, cases, cases[0]))


def run(studies: Sequence[Study], workers: int) -> Iterator[tuple[Study, Sequence[Line]]]:
    """Lines of each study as it ends; progress on stderr, as a bar on a terminal and as a line per study elsewhere."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    context = multiprocessing.get_context("spawn")  # a fork would share this process's threads and seeds
    with ProcessPoolExecutor(workers, mp_context=context) as pool, bar:
        for number, study in enumerate(studies, start=1):
            if not console.is_terminal:
                console.print(f"{number}/{len(studies)} {study.name}: {len(study.cases)} streams", highlight=False)
            task = bar.add_task(study.name, total=len(study.cases))
            try:
                seen = _looked_at(study, pool, partial(bar.advance, task))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            yield study, study.lines(seen)


def _looked_at(study: Study, pool: ProcessPoolExecutor, advance: Callable[[int], None]) -> list[Any]:
    size = max(1, len(study.cases) // CHUNKS)
    starts = range(0, len(study.cases), size)
    futures = {
        pool.submit(_look_at, study.look, study.together, study.cases[start : start + size]): start for start in starts
    }
    found: dict[int, list[Any]] = {}
    for future in as_completed(futures):
        found[futures[future]] = future.result()
        advance(len(found[futures[future]]))
    return [one for start in starts for one in found[start]]


def _look_at(look: Callable[[Any], Any], together: bool, cases: Sequence[Any]) -> list[Any]:
    """Without the study's `lines`, which cannot travel."""
    return Study("", cases, look, lambda _: (), together=together).look_at(cases)


def _look(look: Callable[[Any], Any], what: Any, case: Any) -> Any:
    try:
        return look(what)
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__}: {error}; the case was {case} or one beside it") from error
