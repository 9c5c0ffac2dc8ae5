"""Events about an archive: what stays after a session, and the moment it reached the public."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, UtcTime, about

ArchiveKind = Literal["session_recording", "minutes", "article", "magazine_issue", "broadcast"]
Audience = Literal["public", "members"]
WithdrawReason = Literal["mistake", "consent_withdrawn", "rights", "outdated", "other"]

_Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class Title(BaseModel):
    """A public title in both languages of the community."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    ja: Annotated[_Text, about("The title in Japanese; public.")]
    en: Annotated[_Text, about("The title in English; public.")]


class ArchivePublished(EventData):
    """Something reached the public. The event's time is the moment of publication, often in the past."""

    kind: Annotated[ArchiveKind, about("What was published.")]
    series_id: Annotated[Id | None, about("The series it belongs to; null when to none.", names="series")] = None
    session_id: Annotated[Id | None, about("The session it comes from; null when from none.", names="session")] = None
    theme_ids: Annotated[tuple[Id, ...], about("The themes it is about.", names="theme")] = ()
    audience: Annotated[Audience, about("Who can see it.")]
    title: Annotated[Title, about("Its title; public, and the form says so.")]
    link_code: Annotated[
        Id | None, about("The code of its short link; the link itself stays in the service.", names="link")
    ] = None


class ArchiveCorrected(EventData):
    """What was said about an archive was wrong. A field that is null is unchanged."""

    published_at: Annotated[
        UtcTime | None, about("The true moment of publication; null when unchanged.", unit="time (RFC 3339)")
    ] = None
    kind: Annotated[ArchiveKind | None, about("What was published; null when unchanged.")] = None
    series_id: Annotated[Id | None, about("The series it belongs to; null when unchanged.", names="series")] = None
    session_id: Annotated[Id | None, about("The session it comes from; null when unchanged.", names="session")] = None
    theme_ids: Annotated[
        tuple[Id, ...] | None, about("The themes it is about; null when unchanged.", names="theme")
    ] = None
    audience: Annotated[Audience | None, about("Who can see it; null when unchanged.")] = None
    title: Annotated[Title | None, about("Its title; null when unchanged.")] = None
    link_code: Annotated[Id | None, about("The code of its short link; null when unchanged.", names="link")] = None


class ArchiveWithdrawn(EventData):
    """An archive is no longer offered. What it brought stays counted."""

    reason_code: Annotated[WithdrawReason, about("Why it is no longer offered.")]


def _archive(name: str, model: type[EventData], summary_en: str, summary_ja: str) -> EventType:
    return EventType(
        name=name,
        version=1,
        topic="kairan.archive",
        model=model,
        publisher="events",
        summary_en=summary_en,
        summary_ja=summary_ja,
        subject="archive",
    )


TYPES = (
    _archive("archive-published", ArchivePublished, "Something was published.", "アーカイブなどが公開・発行された。"),
    _archive(
        "archive-corrected", ArchiveCorrected, "A publication's facts were corrected.", "公開の内容が訂正された。"
    ),
    _archive("archive-withdrawn", ArchiveWithdrawn, "A publication was withdrawn.", "公開が取り下げられた。"),
)
