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
        yield _publications(answer["publications"], judged.titles)
        yield Text(CAVEAT + "\n", "dim")
    else:
        yield Text("Nothing was published.\n")
    for spike in answer["unexplained"]:
        yield Text(_question(spike), "yellow")
    if answer["series"]:
        yield _series(answer["series"])
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


def _publications(rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Table:
    table = _table("in Tokyo", "kind", "title")
    table.columns[-1].ratio = 1
    table.add_column("extra (90 %)", justify="right", no_wrap=True)
    table.add_column("credit (90 %)", justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in rows:
        table.add_row(
            _when(row["published_at"]),
            row["kind"].replace("_", " "),
            Text(titles.get(row["id"], row["id"])),
            f"{round(row['extra']):+,d} ({row['low']:,}-{row['high']:,})",
            _credit(row),
            Text(verdict_of(row), STYLES[row["verdict"]]),
        )
    return table


def _credit(row: Mapping[str, Any]) -> str:
    own = f"{row['credit']:,.0f} ({row['credit_low']:,.0f}-{row['credit_high']:,.0f})"
    return f"{own} of {row['joint_credit']:,.0f} together" if row["joint_with"] else own


def _series(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("series")
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
