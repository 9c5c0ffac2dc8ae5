"""Facts about archives and held sessions become publications: each field holds what the highest version said, so any
order of the facts gives the same content, and a fact about an archive not yet known waits in its document."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

from services.metrics.domain.board import Kind, Title
from shared.catalogue import ArchiveCorrected, ArchivePublished, ArchiveWithdrawn, Event, SessionHeld
from shared.catalogue import Title as PublicTitle

Standing = Literal["public", "withdrawn"]
Fields = Mapping[str, tuple[int, Any]]
"""Field name to (aggregate version, value)."""

HEARD = (ArchivePublished, ArchiveCorrected, ArchiveWithdrawn, SessionHeld)
_CORRECTABLE = ("kind", "series_id", "session_id", "theme_ids", "audience", "title", "link_code")


class Publication(NamedTuple):
    """What the ledger needs to know of something that reached the public."""

    id: str
    kind: Kind
    published_at: datetime
    title: Title | None
    series_id: str | None
    theme_ids: tuple[str, ...] = ()
    link_code: str | None = None


def concerns(event: Event) -> bool:
    """Whether an event says something about a publication."""
    return isinstance(event.data, HEARD)


def merge(known: Fields, event: Event) -> Fields:
    """What is known after hearing `event`: per field the highest version wins. A repeat changes nothing."""
    version = event.envelope.aggregate_version
    said = {name: value for name, value in _said(event) if name not in known or known[name][0] < version}
    return {**known, **{name: (version, value) for name, value in said.items()}} if said else known


def publication(publication_id: str, known: Fields) -> Publication | None:
    """The publication, or None while it is not known to be public, or after it was withdrawn."""
    values = {name: value for name, (_, value) in known.items()}
    if values.get("standing") != "public":
        return None
    title = values.get("title")
    return Publication(
        id=publication_id,
        kind=values["kind"],
        published_at=values["published_at"],
        title=Title(**title) if title else None,
        series_id=values.get("series_id"),
        theme_ids=tuple(values.get("theme_ids") or ()),
        link_code=values.get("link_code"),
    )


def _said(event: Event) -> Iterator[tuple[str, Any]]:
    data = event.data
    if isinstance(data, ArchivePublished):
        yield "standing", "public"
        yield "published_at", event.envelope.time
        yield from _archive(data, _CORRECTABLE)
    elif isinstance(data, ArchiveCorrected):
        if data.published_at is not None:
            yield "published_at", data.published_at
        yield from _archive(data, [name for name in _CORRECTABLE if getattr(data, name) is not None])
    elif isinstance(data, ArchiveWithdrawn):
        yield "standing", "withdrawn"
    elif isinstance(data, SessionHeld):
        yield "standing", "public"
        yield "kind", "session"
        yield "published_at", data.ended_at
        yield "series_id", data.series_id
        yield "theme_ids", list(data.theme_ids)


def _archive(data: ArchivePublished | ArchiveCorrected, names: Any) -> Iterator[tuple[str, Any]]:
    for name in names:
        value = getattr(data, name)
        if isinstance(value, PublicTitle):
            value = {"ja": value.ja, "en": value.en}
        yield name, list(value) if isinstance(value, tuple) else value
