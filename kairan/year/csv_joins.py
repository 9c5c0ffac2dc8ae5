"""The joins of a file, summed by hour and source: all rows at once, and row by row where one of them is at fault."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from kairan.year.csv_rules import EARLIEST, Rules, aware_time
from kairan.year.csv_table import BadInput, Table

MOST_JOINS_AN_HOUR = 10_000_000
MOST_DIGITS = 11
HOUR_S = 3600
Totals = Mapping[tuple[int, str], int]
"""Joins by hour (hours since 1970, UTC) and source (empty: none is named)."""


@dataclass(frozen=True)
class HourlyJoins:
    """`first` and `last` are the hours (since 1970, UTC) of the earliest and the latest row; a row may say 0."""

    table: Table
    first: int
    last: int
    totals: Totals

    def check_sources(self, ids: Mapping[str, object], rules: Rules) -> None:
        """A source that is no publication of these must be a name. Raises `BadInput` with the first line of one."""
        wrong = {ref for _, ref in self.totals if ref not in ids and rules.fault_of_name(ref)}
        if not wrong:
            return
        for line, row in self.table.rows():
            if (ref := row["source_ref"]) in wrong:
                raise BadInput(self.table.path, line, f"source_ref: {rules.fault_of_name(ref)}")


def read_joins(path: Path, zone: tzinfo | None, rules: Rules) -> HourlyJoins:
    """The joins of `path`; `zone` is that of times that name none. Raises `BadInput` at the first fault."""
    table = Table(path, ("occurred_at", "joins"), ("source_ref",))
    return _at_once(table, zone, rules) or _row_by_row(table, zone, rules)


def _at_once(table: Table, zone: tzinfo | None, rules: Rules) -> HourlyJoins | None:
    """None where anything is unusual, a fault or a blank around a cell: `_row_by_row` knows what it is."""
    columns = table.columns()
    if columns is None or {"occurred_at", "joins"} - columns.keys():
        return None
    counts = columns["joins"]
    if not all(map(_is_count, counts)):
        return None
    try:
        seconds = _seconds(columns["occurred_at"], zone)
    except ValueError:
        return None
    if not seconds or min(seconds) < EARLIEST.timestamp() or max(seconds) > rules.latest.timestamp():
        return None
    hours = [int(one) // HOUR_S for one in seconds]
    totals: dict[tuple[int, str], int] = defaultdict(int)
    if refs := columns.get("source_ref"):
        for hour, ref, count in zip(hours, map(str.strip, refs), map(int, counts), strict=True):
            totals[hour, ref] += count
    else:
        for hour, count in zip(hours, map(int, counts), strict=True):
            totals[hour, ""] += count
    if max(totals.values()) > MOST_JOINS_AN_HOUR:
        return None
    return HourlyJoins(table, min(hours), max(hours), totals)


def _seconds(texts: Sequence[str], zone: tzinfo | None) -> list[float]:
    """Since 1970. Raises ValueError."""
    moments = list(map(datetime.fromisoformat, texts))
    if any(moment.tzinfo is None for moment in moments):
        moments = [aware_time(text, zone) for text in texts]
    return list(map(datetime.timestamp, moments))


def _row_by_row(table: Table, zone: tzinfo | None, rules: Rules) -> HourlyJoins:
    totals: dict[tuple[int, str], int] = defaultdict(int)
    hours = set()
    for line, row in table.rows():
        moment = rules.checked_moment(table.path, line, "occurred_at", row["occurred_at"], zone)
        text = row["joins"]
        if not _is_count(text):
            raise BadInput(table.path, line, f"joins: {text!r} is not a number of people (0, 1, 2, ...)")
        key = hour_of(moment), row.get("source_ref", "")
        hours.add(key[0])
        totals[key] += int(text)
        if totals[key] > MOST_JOINS_AN_HOUR:
            raise BadInput(table.path, line, f"more than {MOST_JOINS_AN_HOUR:,} joins in one hour")
    if not hours:
        raise BadInput(table.path, None, "has no rows; the first and the last row bound the stream")
    return HourlyJoins(table, min(hours), max(hours), totals)


def hour_of(moment: datetime) -> int:
    return int(moment.timestamp()) // HOUR_S


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
