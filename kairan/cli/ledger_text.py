"""A ledger for people: the chart, one line per publication, what nobody explains, the series, the audit."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kairan.cli.chart import Glyphs, Mark, chart, glyphs_for
from kairan.cli.false_alarms import FalseAlarms
from kairan.year.judged import Judged
from kairan.year.report import VERDICTS, verdict_of
from shared.clock import JST

WITHOUT_TERMINAL, NARROWEST = 120, 60
LEAST_TITLE, SHORTEST_TITLE, GAP, SERIES_FIGURES = 12, 4, 2, 60  # columns of a terminal
HEAD = ("in Tokyo", "kind", "extra (90 %)", "credit (90 %)", "verdict")
STYLES = {"clear": "bold green", "likely": "green", "unclear": "", "too_little_data": "dim"}
FOUND = ("clear", "likely")
CAVEAT = "Extra joins after, not because of: an unlisted event in the same hours cannot be told apart."


def print_ledger(judged: Judged) -> None:
    """On stdout, in colour on a terminal that wants it, at its width."""
    console = Console() if sys.stdout.isatty() else Console(width=WITHOUT_TERMINAL)
    width = max(console.width, NARROWEST)
    for part in _parts(judged, width, glyphs_for(console.encoding)):
        console.print(part, highlight=False, width=width)


def _parts(judged: Judged, width: int, glyphs: Glyphs) -> Iterator[Text | Table]:
    answer = judged.answer
    if answer["as_of"] is None:
        yield Text("No ledger yet: no time has passed.")
        return
    yield Text(_headline(answer), style="bold")
    yield Text(_shares(answer))
    if judged.joins:
        yield Text("\n".join(chart(judged.first_day, judged.joins, _marks(answer, glyphs), width, glyphs)))
        yield Text(
            f"{glyphs.found} clear or likely   {glyphs.published} other   {glyphs.unexplained} unexplained\n", "dim"
        )
    if answer["publications"]:
        yield _publications(answer["publications"], judged.titles, width)
        yield Text(CAVEAT + "\n", "dim")
    else:
        yield Text("Nothing was published.\n")
    for spike in answer["unexplained"]:
        yield Text(_question(spike), "yellow")
    if answer["series"]:
        yield _series(answer["series"], width)
    yield Text(FalseAlarms.of(answer["audit"]).in_words() + "\n")


def _headline(answer: Mapping[str, Any]) -> str:
    who = f"{answer['stream']}: " if "stream" in answer else ""
    since = f"{_when(answer['from'])} to " if answer.get("from") else "up to "
    return f"{who}{answer['joins']:,} joins, {since}{_when(answer['as_of'])} in Tokyo"


def _shares(answer: Mapping[str, Any]) -> str:
    brought = answer["joins"] - answer["organic"]
    return f"{brought:,.0f} of them are credited to publications, {answer['organic']:,.0f} to nobody\n"


def _marks(answer: Mapping[str, Any], glyphs: Glyphs) -> list[Mark]:
    spikes = [Mark(_tokyo(one["from"]).date(), glyphs.unexplained) for one in answer["unexplained"]]
    rows = sorted(answer["publications"], key=lambda row: row["verdict"] in FOUND)
    shown = [(row, glyphs.found if row["verdict"] in FOUND else glyphs.published) for row in rows]
    return [*spikes, *(Mark(_tokyo(row["published_at"]).date(), sign) for row, sign in shown)]


def _publications(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str], width: int) -> Table:
    """A line for each where all its figures and a piece of its title fit into one; else two or three, figures whole."""
    figures = [_figures(row) for row in rows]
    names = [titles.get(row["id"], row["id"]) for row in rows]
    cells = [[cell.replace("\n", " ") for cell in line] for line in figures]
    room = _room(width, HEAD, cells)
    table = _table(*HEAD[:2], "title")
    if room < LEAST_TITLE:
        names = [f"{line[1]}\n{name}" for line, name in zip(figures, names, strict=True)]
        cells = [[line[0], *line[2:]] for line in figures]
        room = _room(width, (HEAD[0], *HEAD[2:]), cells)
        table = _table(HEAD[0], "publication")
    table.columns[-1].max_width = max(room, SHORTEST_TITLE)
    for name in HEAD[2:]:
        table.add_column(name, justify="left" if name == HEAD[-1] else "right", no_wrap=True)
    for row, name, line in zip(rows, names, cells, strict=True):
        *before, extra, credit, verdict = line
        table.add_row(*before, Text(name), extra, credit, Text(verdict, STYLES[row["verdict"]]))
    return table


def _figures(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Cells under `HEAD`, with line breaks where a narrow terminal needs them."""
    return (
        _when(row["published_at"]).replace(" ", "\n"),
        row["kind"].replace("_", " "),
        f"{round(row['extra']):+,d}\n({row['low']:,}-{row['high']:,})",
        _credit(row),
        verdict_of(row).replace(", ", ",\n").replace(" (", "\n("),
    )


def _room(width: int, head: Sequence[str], lines: Sequence[Sequence[str]]) -> int:
    """Columns of the terminal that these cells leave for one more."""
    columns = zip(head, *lines, strict=True)
    return width - sum(max(len(part) for cell in column for part in cell.split("\n")) + GAP for column in columns) - GAP


def _credit(row: Mapping[str, Any]) -> str:
    own = f"{row['credit']:,.0f}\n({row['credit_low']:,.0f}-{row['credit_high']:,.0f})"
    return f"{own}\nof {row['joint_credit']:,.0f} together" if row["joint_with"] else own


def _series(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    table = _table("series")
    table.columns[0].max_width = max(width - SERIES_FIGURES, LEAST_TITLE)
    table.add_column("extra, all issues (90 %)", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in rows:
        extra = f"{round(row['extra']):+,d} ({row['low']:,.0f}-{row['high']:,.0f})"
        table.add_row(Text(row["series_id"]), extra, Text(VERDICTS[row["verdict"]], STYLES[row["verdict"]]))
    return table


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    return table


def _question(spike: Mapping[str, Any]) -> str:
    extra = f"{spike['extra']:,.0f} extra joins ({spike['low']:,.0f}-{spike['high']:,.0f})"
    return f"{_when(spike['from'])} to {_when(spike['to'])}: {extra} that nothing explains: what was published?"


def _when(text: str) -> str:
    return f"{_tokyo(text):%Y-%m-%d %H:%M}"


def _tokyo(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(JST)
