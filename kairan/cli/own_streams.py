"""The options by which `ledger` and `audit` are told of somebody's own streams, and what is read by them."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from kairan.year.csv_rules import Rules, read_time
from kairan.year.csv_streams import JOINS_FILE, Stream, printable, read_folder, read_stream

JoinsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="CSV: occurred_at,joins[,source_ref] (source_ref: the id of a publication)."),
]
PublicationsOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="CSV: id,kind,published_at,title_en[,title_ja,series_id,theme]."),
]
StreamsOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="A folder of folders, each with joins.csv and publications.csv.")
]
AsOfOption = Annotated[
    str | None, typer.Option(metavar="TIME", help="As it was known then: the whole hours before TIME.")
]
TimezoneOption = Annotated[
    str | None, typer.Option(metavar="TZ", help="Of times without a time zone, e.g. Asia/Tokyo.")
]
JobsOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, max=512, help="With --streams: how many processes. Default: one for every core."),
]


@dataclass(frozen=True)
class Knowing:
    """How times are to be read, and up to when."""

    zone: tzinfo | None = None
    as_of: datetime | None = None

    @classmethod
    def asked(cls, timezone: str | None, as_of: str | None) -> "Knowing":
        """Raises ValueError, in words, for what is no time zone or no time."""
        zone = zone_named(timezone)
        if as_of is None:
            return cls(zone)
        try:
            return cls(zone, read_time(as_of, zone))
        except ValueError as error:
            raise ValueError(f"--as-of {error}") from None

    def files(self, joins: Path, publications: Path) -> Stream:
        """The stream in two files, named as it would be among many. Raises `BadInput`, or ValueError for the as-of."""
        name = printable(joins.absolute().parent.name if joins.name == JOINS_FILE else joins.stem)
        return self._cut(read_stream(joins, publications, self.zone, name or "stream", Rules.counted(), self.as_of))

    def folder(self, folder: Path) -> Stream:
        """The stream in a folder. Raises as `files`."""
        return self._cut(read_folder(folder, self.zone, Rules.counted(), self.as_of))

    def _cut(self, stream: Stream) -> Stream:
        return stream if self.as_of is None else stream.known_at(self.as_of)


def zone_named(name: str | None) -> tzinfo | None:
    """Raises ValueError, in words, for what is no time zone."""
    try:
        return None if name is None else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"--timezone {name!r} is not a time zone such as Asia/Tokyo or UTC") from None
