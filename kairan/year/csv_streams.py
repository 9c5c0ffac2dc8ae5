"""Anybody's own stream: joins by the hour and publications, read from two CSV files and checked to the last row."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple

from kairan.year.csv_joins import HOUR_S, HourlyJoins, read_joins
from kairan.year.csv_rules import LONGEST_TITLE, Rules, one_line, read_time
from kairan.year.csv_table import BadInput, Table

__all__ = ["KINDS", "Arrived", "BadInput", "Published", "Stream", "folders", "read_folders", "read_stream", "read_time"]

HOUR = timedelta(hours=1)
KINDS = ("session_recording", "minutes", "article", "magazine_issue", "broadcast", "session")
JOINS_FILE, PUBLICATIONS_FILE = "joins.csv", "publications.csv"


class Arrived(NamedTuple):
    """`joins` people in the hour that begins at `hour` (UTC), all naming the same source."""

    hour: datetime
    joins: int
    source_ref: str | None = None


@dataclass(frozen=True)
class Published:
    """A publication, or a held session (kind `session`, at its end). `id` is the file's own."""

    id: str
    kind: str
    published_at: datetime
    title_en: str
    title_ja: str
    series_id: str | None = None
    theme: str | None = None


@dataclass(frozen=True)
class Stream:
    """`start` is the first row's hour, `end` the end of the last row's; hours without a row have no join.

    A `source_ref` is the id of a publication, or any other source (of which a ledger makes nothing).
    """

    name: str
    start: datetime
    end: datetime
    arrived: tuple[Arrived, ...]  # in order of time, none with 0 joins
    published: tuple[Published, ...]  # in order of time

    @property
    def joins(self) -> int:
        return sum(one.joins for one in self.arrived)

    def cut_at(self, as_of: datetime) -> "Stream":
        """What was known at `as_of`. Raises ValueError unless it is a whole hour within the stream."""
        if as_of.timestamp() % HOUR_S:
            raise ValueError(f"--as-of {as_of.isoformat()} is not a whole hour; a ledger is as of the end of one")
        if not self.start < as_of <= self.end:
            raise ValueError(f"--as-of {as_of.isoformat()} is outside the stream, {_span(self.start, self.end)}")
        return self._until(as_of.astimezone(UTC))

    def known_at(self, moment: datetime) -> "Stream":
        """The whole hours before `moment`, which may lie after the end. Raises ValueError where there is none."""
        if moment < self.start + HOUR:
            raise ValueError(
                f"--as-of {moment.isoformat()} leaves no hour of the stream {self.name}, {_span(self.start, self.end)}"
            )
        return self._until(min(moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0), self.end))

    def _until(self, as_of: datetime) -> "Stream":
        arrived = tuple(one for one in self.arrived if one.hour < as_of)
        published = tuple(one for one in self.published if one.published_at <= as_of)
        return Stream(self.name, self.start, as_of, arrived, published)


def read_stream(
    joins: Path,
    publications: Path,
    zone: tzinfo | None = None,
    name: str = "stream",
    rules: Rules | None = None,
    until: datetime | None = None,
) -> Stream:
    """The stream in two files. `zone` is that of times that name none; `rules` are those of a played stream.

    Publications after `until` are left out, wherever they lie. Raises `BadInput` at the first fault.
    """
    rules = rules or Rules.played()
    counted = read_joins(joins, zone, rules)
    start, end = _moment(counted.first), _moment(counted.last) + HOUR
    found = _read_publications(publications, zone, rules)
    counted.check_sources(found, rules)
    known = [(line, one) for line, one in found.values() if until is None or one.published_at <= until]
    for line, one in known:
        if not start <= one.published_at <= end:
            when = one.published_at.isoformat()
            raise BadInput(publications, line, f"published_at {when} is outside the stream, {_span(start, end)}")
    order = sorted((one for _, one in known), key=lambda one: (one.published_at, one.id))
    return Stream(name, start, end, _arrived(counted), tuple(order))


def folders(folder: Path) -> list[Path]:
    """All folders in `folder` that have both files, in order of name. Raises `BadInput`, also when none has."""
    if not folder.is_dir():
        raise BadInput(folder, None, "is not a folder")
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        raise BadInput(folder, None, f"cannot be read: {error.strerror}") from None
    found = [one for one in children if (one / JOINS_FILE).is_file() and (one / PUBLICATIONS_FILE).is_file()]
    if not found:
        raise BadInput(folder, None, f"no folder in it has both {JOINS_FILE} and {PUBLICATIONS_FILE}")
    return found


def read_folders(folder: Path, zone: tzinfo | None = None) -> tuple[Stream, ...]:
    """The streams of `folders`. Raises `BadInput`."""
    return tuple(read_folder(one, zone) for one in folders(folder))


def read_folder(
    folder: Path, zone: tzinfo | None = None, rules: Rules | None = None, until: datetime | None = None
) -> Stream:
    """As `read_stream`, named as the folder."""
    files = folder / JOINS_FILE, folder / PUBLICATIONS_FILE
    return read_stream(*files, zone, printable(folder.name), rules, until)


def printable(name: str) -> str:
    """A file's name as UTF-8 can hold it."""
    return os.fsencode(name).decode(errors="replace")


def _arrived(counted: HourlyJoins) -> tuple[Arrived, ...]:
    found = sorted((hour, ref, joins) for (hour, ref), joins in counted.totals.items() if joins)
    return tuple(Arrived(_moment(hour), joins, ref or None) for hour, ref, joins in found)


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * HOUR_S, UTC)


def _read_publications(path: Path, zone: tzinfo | None, rules: Rules) -> dict[str, tuple[int, Published]]:
    """By id, with their lines."""
    found: dict[str, tuple[int, Published]] = {}
    table = Table(path, ("id", "kind", "published_at", "title_en"), ("title_ja", "series_id", "theme"))
    for line, row in table.rows():
        one = _publication(path, line, row, zone, rules)
        if one.id in found:
            raise BadInput(path, line, f"the id {one.id!r} stands in line {found[one.id][0]} already")
        found[one.id] = line, one
    return found


def _publication(path: Path, line: int, row: Mapping[str, str], zone: tzinfo | None, rules: Rules) -> Published:
    own = row["id"]
    if not own:
        raise BadInput(path, line, "id is empty")
    if not one_line(own):
        raise BadInput(path, line, f"id: {own!r} is not one line")
    if row["kind"] not in KINDS:
        raise BadInput(path, line, f"kind {row['kind']!r} is not known; kinds: {', '.join(KINDS)}")
    moment = rules.checked_moment(path, line, "published_at", row["published_at"], zone)
    title = _title(path, line, row, "title_en") or own
    japanese = _title(path, line, row, "title_ja") or title
    series, theme = (_name(path, line, row, column, rules) for column in ("series_id", "theme"))
    return Published(own, row["kind"], moment, title, japanese, series, theme)


def _name(path: Path, line: int, row: Mapping[str, str], column: str, rules: Rules) -> str | None:
    text = row.get(column, "")
    if fault := rules.fault_of_name(text):
        raise BadInput(path, line, f"{column}: {fault}")
    return text or None


def _title(path: Path, line: int, row: Mapping[str, str], column: str) -> str:
    text = row.get(column, "")
    if len(text) > LONGEST_TITLE or not one_line(text):
        raise BadInput(path, line, f"{column}: a title is one line of at most {LONGEST_TITLE} characters")
    return text


def _span(start: datetime, end: datetime) -> str:
    return f"which goes from {start.isoformat()} to {end.isoformat()}"
