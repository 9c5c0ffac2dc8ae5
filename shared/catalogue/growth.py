"""Events about growth: a publication was followed by more joins than usual; the community reached a number."""

from typing import Annotated, Literal

from pydantic import Field

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, UtcTime, about

SpikeKind = Literal["session_recording", "minutes", "article", "magazine_issue", "broadcast", "session"]
GrowthVerdict = Literal["clear", "likely", "unclear", "too_little_data"]
Measure = Literal["members"]

_Count = Annotated[int, Field(ge=0)]
_TIME = "time (RFC 3339)"
_JOINS = "joins"
_PUBLICATION = "The archive, or the held session, that the joins came after; the same as the subject."
_THEME = "The entrance whose joins alone were looked at; null where all joins were."
_AS_OF = (
    "The end of the last hour known when this was found. Where it is much later than the event's time, a history was "
    "imported: it is no news."
)


class _Spike(EventData):
    publication_id: Annotated[Id, about(_PUBLICATION, names="publication")]
    kind: Annotated[SpikeKind, about("What was published.")]
    published_at: Annotated[UtcTime, about("When it was published; a session, when it ended.", unit=_TIME)]
    theme_id: Annotated[Id | None, about(_THEME, names="theme")] = None
    as_of: Annotated[UtcTime, about(_AS_OF, unit=_TIME)]
    observed: Annotated[_Count, about("Joins in the window up to `as_of`.", unit=_JOINS)]
    expected: Annotated[float, about("Joins that would have come anyway, or by other publications.", unit=_JOINS)]
    extra: Annotated[float, about("`observed - expected`: extra joins after; never proof of a cause.", unit=_JOINS)]
    low: Annotated[_Count, about("Lower end of the 90 % range of the extra joins.", unit=_JOINS)]
    high: Annotated[_Count, about("Upper end of the 90 % range of the extra joins.", unit=_JOINS)]
    log_evidence: Annotated[
        float, about("The largest evidence E so far; alarms begin at ln 100 = 4.6 or above.", unit="ln E")
    ]
    verdict: Annotated[GrowthVerdict, about("How sure it is, as known at `as_of`.")]


class GrowthSpikeDetected(_Spike):
    """The evidence crossed its threshold. The event's time is the end of that hour. An alarm is never withdrawn."""


class GrowthSpikeClosed(_Spike):
    """The 168 hours after a publication that had an alarm are over. The event's time is their end."""

    alarm_at: Annotated[UtcTime, about("When the evidence crossed its threshold.", unit=_TIME)]
    credit: Annotated[float, about("Joins credited to this publication, over the whole stream.", unit=_JOINS)]
    credit_low: Annotated[float, about("Lower end of the 90 % range of the credit.", unit=_JOINS)]
    credit_high: Annotated[float, about("Upper end of the 90 % range of the credit.", unit=_JOINS)]
    joint_with: Annotated[
        tuple[Id, ...],
        about("Publications less than 24 hours apart, which share the joint credit.", names="publication"),
    ] = ()
    joint_credit: Annotated[float, about("Joins credited to all of them together.", unit=_JOINS)]
    joint_low: Annotated[float, about("Lower end of its 90 % range.", unit=_JOINS)]
    joint_high: Annotated[float, about("Upper end of its 90 % range.", unit=_JOINS)]


class MilestoneReached(EventData):
    """The community reached a number. The event's time is the end of the hour; falling below and back is no second."""

    measure: Annotated[Measure, about("What is counted.")]
    value: Annotated[Annotated[int, Field(ge=1)], about("The number that was reached.", unit="members")]
    as_of: Annotated[UtcTime, about(_AS_OF, unit=_TIME)]


def _growth(name: str, model: type[EventData], subject: str, summary_en: str, summary_ja: str) -> EventType:
    return EventType(
        name=name,
        version=1,
        topic="kairan.growth",
        model=model,
        publisher="metrics",
        summary_en=summary_en,
        summary_ja=summary_ja,
        subject=subject,
    )


TYPES = (
    _growth(
        "growth-spike-detected",
        GrowthSpikeDetected,
        "publication",
        "More people joined after a publication than chance readily explains.",
        "公開の後に、偶然では説明しにくいほど多くの参加があった。",
    ),
    _growth(
        "growth-spike-closed",
        GrowthSpikeClosed,
        "publication",
        "The week after a publication with a growth spike is counted.",
        "増加の山があった公開の、その後の一週間を数え終えた。",
    ),
    _growth(
        "milestone-reached",
        MilestoneReached,
        "community",
        "The community reached a number of members.",
        "会員数が節目に達した。",
    ),
)
