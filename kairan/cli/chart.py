"""Joins a day as a small chart of plain characters, with a line of marks where something was published."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

ROWS = 6
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Mark:
    """Something on a day; where two fall into one column, the later one in the list shows."""

    day: date
    sign: str


@dataclass(frozen=True)
class Glyphs:
    """`levels`: an empty cell to a full one, in even steps."""

    levels: str
    found: str
    published: str
    unexplained: str = "?"


UNICODE = Glyphs(" ▁▂▃▄▅▆▇█", "▲", "△")
ASCII = Glyphs(" .:|", "^", "'")


def glyphs_for(encoding: str | None) -> Glyphs:
    """Characters that a stream of this encoding can carry."""
    try:
        (UNICODE.levels + UNICODE.found + UNICODE.published).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def chart(first: date, joins: Sequence[int], marks: Iterable[Mark], width: int, glyphs: Glyphs = UNICODE) -> list[str]:
    """The chart's lines, at most `width` (30 or more) characters wide; a column is a day, or the mean of several.

    `joins`: of every day from `first` on, at least one.
    """
    scale = len(f"{max(joins):,}") + 1
    span = -(-len(joins) // (width - scale - 1))
    columns = [joins[i : i + span] for i in range(0, len(joins), span)]
    means = [sum(column) / len(column) for column in columns]
    top = max(1.0, *means)
    lines = [_label(row, top, scale) + _row(means, top, row, glyphs.levels) for row in reversed(range(ROWS))]
    lines.append(" " * (scale + 1) + _marks(first, marks, span, len(means)))
    lines.append(" " * (scale + 1) + _dates(first, first + (len(joins) - 1) * DAY, len(means)))
    a_column = "" if span == 1 else f" (a column is the mean of {span} days)"
    return [f"Joins a day, Asia/Tokyo{a_column}", *(line.rstrip() for line in lines)]


def _row(means: Sequence[float], top: float, row: int, levels: str) -> str:
    steps = len(levels) - 1
    heights = (max(round(mean / top * ROWS * steps), mean > 0) for mean in means)
    return "".join(levels[min(max(height - row * steps, 0), steps)] for height in heights)


def _label(row: int, top: float, scale: int) -> str:
    figure = f"{top:,.0f}" if row == ROWS - 1 else "0" if row == 0 else ""
    return f"{figure:>{scale}} "


def _marks(first: date, marks: Iterable[Mark], days: int, columns: int) -> str:
    line = [" "] * columns
    for mark in marks:
        place = (mark.day - first) // DAY // days
        if 0 <= place < columns:
            line[place] = mark.sign
    return "".join(line)


def _dates(first: date, last: date, columns: int) -> str:
    """Both ends where there is room, at least the first."""
    begin, end = first.isoformat(), last.isoformat()
    return begin if columns < len(begin + end) + 1 else begin + end.rjust(columns - len(begin))
