"""What the cells of a stream's files may say: times, ids, titles; more where nothing but a ledger is made of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from kairan.year.csv_table import BadInput

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NAME, LONGEST_TITLE = 128, 300


@dataclass(frozen=True)
class Rules:
    """`latest`: the last moment that a row may name. `plain_names`: series, themes and sources are ids of an API."""

    latest: datetime
    latest_in_words: str
    plain_names: bool

    @classmethod
    def played(cls) -> "Rules":
        """For a stream that goes through a live system, which knows no future and only ids of its own form."""
        return cls(datetime.now(UTC), "now", plain_names=True)

    @classmethod
    def counted(cls) -> "Rules":
        """For a stream that is only counted: simulated ones may lie in the future, names may be Japanese."""
        return cls(datetime(2200, 1, 1, tzinfo=UTC), "2200", plain_names=False)

    def checked_moment(self, path: Path, line: int, column: str, text: str, zone: tzinfo | None) -> datetime:
        """The moment in a cell, in UTC. Raises `BadInput`."""
        try:
            moment = read_time(text, zone)
        except ValueError as error:
            raise BadInput(path, line, f"{column}: {error}") from None
        if not EARLIEST <= moment <= self.latest:
            raise BadInput(path, line, f"{column}: {text} does not lie between 1970 and {self.latest_in_words}")
        return moment

    def fault_of_name(self, text: str) -> str:
        """Why `text` cannot name a series, a theme or a source; empty where it can."""
        if not self.plain_names:
            return "" if len(text) <= LONGEST_NAME and one_line(text) else f"{text!r} is not one line of at most 128"
        if len(text) <= LONGEST_NAME and all(c.isascii() and (c.isalnum() or c in "_.-") for c in text):
            return ""
        return f"{text!r} is not an id (letters, digits, `_`, `.`, `-`; at most {LONGEST_NAME})"


def read_time(text: str, zone: tzinfo | None) -> datetime:
    """A moment in UTC from ISO 8601. Raises ValueError, in words, for what is none, or has no zone without `zone`."""
    try:
        return aware_time(text, zone).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not a time that a calendar holds") from None


def aware_time(text: str, zone: tzinfo | None) -> datetime:
    """As `read_time`, in the zone that it names, or in `zone`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2022-03-31T18:00:00+09:00") from None
    if moment.tzinfo is not None:
        return moment
    if zone is None:
        raise ValueError(f"{text!r} has no time zone; write one, or give --timezone, e.g. --timezone Asia/Tokyo")
    return moment.replace(tzinfo=zone)


def one_line(text: str) -> bool:
    return not any(ord(c) < 32 or ord(c) == 127 for c in text)
