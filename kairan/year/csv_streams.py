"""Anybody's own stream: joins by the hour and publications, read from two CSV files and checked to the last row."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

HOUR = timedelta(hours=1)
KINDS = ("session_recording", "minutes", "article", "magazine_issue", "broadcast", "session")
SOURCES = ("referral", "publication", "broadcast", "session", "search", "other", "unknown")
MOST_JOINS_AN_HOUR = 10_000_000
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
JOINS_FILE, PUBLICATIONS_FILE = "joins.csv", "publications.csv"
JOINS_NEEDED, JOINS_ALLOWED = ("occurred_at", "joins"), ("source_ref",)
PUBLICATIONS_NEEDED = ("id", "kind", "published_at", "title_en")
PUBLICATIONS_ALLOWED = ("title_ja", "series_id", "theme")


class BadInput(Exception):
    """A file cannot be used; the text names file, line and fault."""

    def __init__(self, path: Path, line: int | None, fault: str) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {fault}")


@dataclass(frozen=True)
class Arrived:
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
    """`start` is the first row's hour, `end` the end of the last row's; hours without a row have no join."""

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
        if as_of.timestamp() % 3600:
            raise ValueError(f"--as-of {as_of.isoformat()} is not a whole hour; a ledger is as of the end of one")
        if not self.start < as_of <= self.end:
            raise ValueError(f"--as-of {as_of.isoformat()} is outside the stream, {_span(self.start, self.end)}")
        arrived = tuple(one for one in self.arrived if one.hour < as_of)
        published = tuple(one for one in self.published if one.published_at <= as_of)
        return Stream(self.name, self.start, as_of, arrived, published)


def read_stream(joins: Path, publications: Path, zone: tzinfo | None = None, name: str = "stream") -> Stream:
    """The stream in two files. `zone` is that of times that name none. Raises `BadInput` at the first fault."""
    start, end, arrived = _read_joins(joins, zone)
    return Stream(name, start, end, arrived, _read_publications(publications, zone, start, end))


def read_folders(folder: Path, zone: tzinfo | None = None) -> tuple[Stream, ...]:
    """The streams of all folders in `folder` that have both files, by name. Raises `BadInput`, also when none has."""
    if not folder.is_dir():
        raise BadInput(folder, None, "is not a folder")
    found = [
        child
        for child in sorted(folder.iterdir())
        if (child / JOINS_FILE).is_file() and (child / PUBLICATIONS_FILE).is_file()
    ]
    if not found:
        raise BadInput(folder, None, f"no folder in it has both {JOINS_FILE} and {PUBLICATIONS_FILE}")
    return tuple(read_stream(one / JOINS_FILE, one / PUBLICATIONS_FILE, zone, one.name) for one in found)


def read_time(text: str, zone: tzinfo | None) -> datetime:
    """A moment in UTC from ISO 8601. Raises ValueError, in words, for what is none, or has no zone without `zone`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2022-03-31T18:00:00+09:00") from None
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} has no time zone; write one, or give --timezone, e.g. --timezone Asia/Tokyo")
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not a time that a calendar holds") from None


def _read_joins(path: Path, zone: tzinfo | None) -> tuple[datetime, datetime, tuple[Arrived, ...]]:
    found: dict[tuple[datetime, str | None], int] = {}
    first = last = None
    for line, row in _rows(path, JOINS_NEEDED, JOINS_ALLOWED):
        hour = _past(path, line, "occurred_at", row["occurred_at"], zone).replace(minute=0, second=0, microsecond=0)
        first, last = min(first or hour, hour), max(last or hour, hour)
        key = (hour, _source_ref(path, line, row))
        found[key] = found.get(key, 0) + _count(path, line, row["joins"])
        if found[key] > MOST_JOINS_AN_HOUR:
            raise BadInput(path, line, f"more than {MOST_JOINS_AN_HOUR:,} joins in one hour")
    if first is None or last is None:
        raise BadInput(path, None, "has no rows; the first and the last row bound the stream")
    order = sorted(found, key=lambda key: (key[0], key[1] or ""))
    return first, last + HOUR, tuple(Arrived(hour, found[hour, ref], ref) for hour, ref in order if found[hour, ref])


def _read_publications(path: Path, zone: tzinfo | None, start: datetime, end: datetime) -> tuple[Published, ...]:
    found: dict[str, int] = {}
    published = []
    for line, row in _rows(path, PUBLICATIONS_NEEDED, PUBLICATIONS_ALLOWED):
        own = row["id"]
        if not own:
            raise BadInput(path, line, "id is empty")
        if own in found:
            raise BadInput(path, line, f"the id {own!r} stands in line {found[own]} already")
        found[own] = line
        if row["kind"] not in KINDS:
            raise BadInput(path, line, f"kind {row['kind']!r} is not known; kinds: {', '.join(KINDS)}")
        moment = _past(path, line, "published_at", row["published_at"], zone)
        if not start <= moment <= end:
            raise BadInput(path, line, f"published_at {row['published_at']} is outside the stream, {_span(start, end)}")
        title = _title(path, line, row, "title_en") or own
        japanese = _title(path, line, row, "title_ja") or title
        series, theme = (_id(path, line, name, row.get(name, "")) for name in ("series_id", "theme"))
        published.append(Published(own, row["kind"], moment, title, japanese, series, theme))
    return tuple(sorted(published, key=lambda one: (one.published_at, one.id)))


def _rows(path: Path, needed: Sequence[str], allowed: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line and cells of every row, in the columns of the header. Columns that nobody asked for are passed over."""
    rows = _cells(path)
    header_line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    missing = [name for name in needed if name not in names]
    if missing:
        what = "is empty" if not names else f"misses the column {', '.join(missing)}"
        raise BadInput(path, header_line if names else None, f"{what}; it needs {','.join(needed)}")
    for name in (*needed, *allowed):
        if names.count(name) > 1:
            raise BadInput(path, header_line, f"the column {name} stands there twice")
    for line, cells in rows:
        if len(cells) != len(names):
            raise BadInput(path, line, f"{len(cells)} cells, but the header has {len(names)}")
        yield line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)}


def _cells(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line (where the row begins) and cells of every row that is not empty. Raises `BadInput` for what is no CSV."""
    line = 1
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except UnicodeDecodeError as error:
        raise BadInput(path, error.object[: error.start].count(b"\n") + 1, "is not UTF-8") from None
    except csv.Error as error:
        raise BadInput(path, line, f"is not CSV: {error}") from None
    except OSError as error:
        raise BadInput(path, None, f"cannot be read: {error.strerror}") from None


def _past(path: Path, line: int, column: str, text: str, zone: tzinfo | None) -> datetime:
    try:
        moment = read_time(text, zone)
    except ValueError as error:
        raise BadInput(path, line, f"{column}: {error}") from None
    if not EARLIEST <= moment <= datetime.now(UTC):
        raise BadInput(path, line, f"{column}: {text} does not lie between 1970 and now")
    return moment


def _count(path: Path, line: int, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise BadInput(path, line, f"joins: {text!r} is not a number of people (0, 1, 2, ...)")
    return int(text)


def _source_ref(path: Path, line: int, row: Mapping[str, str]) -> str | None:
    return _id(path, line, "source_ref", row.get("source_ref", ""))


def _id(path: Path, line: int, column: str, text: str) -> str | None:
    if not text:
        return None
    if len(text) > 128 or not all(c.isascii() and (c.isalnum() or c in "_.-") for c in text):
        raise BadInput(path, line, f"{column}: {text!r} is not an id (letters, digits, `_`, `.`, `-`; at most 128)")
    return text


def _title(path: Path, line: int, row: Mapping[str, str], column: str) -> str:
    text = row.get(column, "")
    if len(text) > 300 or any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise BadInput(path, line, f"{column}: a title is one line of at most 300 characters")
    return text


def _span(start: datetime, end: datetime) -> str:
    return f"which goes from {start.isoformat()} to {end.isoformat()}"
