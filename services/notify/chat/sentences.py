"""One event as a sentence for people: what is known, how sure it is, and as of when; it names nobody. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from services.notify.chat.english import ENGLISH
from services.notify.chat.japanese import JAPANESE
from services.notify.chat.plain import plain
from services.notify.chat.words import ChatWords
from shared.catalogue import (
    CATALOGUE,
    ArchiveCorrected,
    ArchivePublished,
    ArchiveWithdrawn,
    DeliveryExhausted,
    EndpointDisabled,
    EndpointFailing,
    Event,
    GrowthSpikeClosed,
    GrowthSpikeDetected,
    MilestoneReached,
    SessionCancelled,
    SessionHeld,
    SessionRescheduled,
    SessionScheduled,
    Title,
)
from shared.web.dates import moment_text, number
from shared.web.languages import Language
from shared.words.growth import extra_text

Tone = Literal["info", "success", "warning", "failure"]
Spike = GrowthSpikeDetected | GrowthSpikeClosed

WORDS: Final[Mapping[Language, ChatWords]] = {"ja": JAPANESE, "en": ENGLISH}
_NEWS_FOR: Final = timedelta(days=1)
_TONES: Final[Mapping[str, Tone]] = {
    "delivery-exhausted": "warning",
    "endpoint-failing": "warning",
    "endpoint-disabled": "failure",
}


@dataclass(frozen=True)
class Sentence:
    """`tone` is how bad the news is."""

    heading: str
    text: str
    tone: Tone


@dataclass(frozen=True)
class Known:
    """What the service knows beside the event: the publication's title, and the `webhook-id` of a failed delivery."""

    title: Title | None = None
    delivery: str | None = None


def sentence_of(event: Event, known: Known, lang: Language) -> Sentence:
    """The event in words. One that has no words of its own is told by the catalogue's summary."""
    words = WORDS[lang]
    entry = CATALOGUE.by_type(event.envelope.type)
    if entry is None:
        raise ValueError(f"{event.envelope.type} is not in the catalogue")
    summary = entry.summary_ja if lang == "ja" else entry.summary_en
    parts = _parts(event, known, words)
    if not parts:
        form = words.members.get(entry.name, words.at)
        parts = [form.format(summary=summary, moment=moment_text(event.envelope.time, lang))]
    return Sentence(
        heading=words.heading.format(what=summary.rstrip(".。")),
        text=("" if lang == "ja" else " ").join(part for part in parts if part),
        tone=_TONES.get(entry.name, "info"),
    )


def _parts(event: Event, known: Known, words: ChatWords) -> list[str]:
    match event.data:
        case GrowthSpikeDetected() | GrowthSpikeClosed() as spike:
            imported = spike.as_of - event.envelope.time > _NEWS_FOR
            return [*_spike(spike, known, words), words.imported if imported else ""]
        case MilestoneReached(value=value, as_of=as_of):
            imported = as_of - event.envelope.time > _NEWS_FOR
            reached = words.milestone.format(value=number(value), as_of=moment_text(as_of, words.lang))
            return [reached, words.imported if imported else ""]
        case EndpointFailing() as failing:
            return _failing(failing, known, words)
        case DeliveryExhausted() | EndpointDisabled() as trouble:
            return _trouble(trouble, known, words)
        case ArchivePublished() | ArchiveCorrected() | ArchiveWithdrawn() as archive:
            return _archive(event, archive, known, words)
        case SessionScheduled() | SessionRescheduled() | SessionCancelled() | SessionHeld() as session:
            return _session(session, words)
    return []


def _failing(failing: EndpointFailing, known: Known, words: ChatWords) -> list[str]:
    first = words.first_failed.format(event=_event_name(failing.event_type)) if failing.event_type else ""
    look = words.look.format(delivery=known.delivery) if known.delivery else ""
    return [words.failing[failing.hours].format(endpoint=failing.endpoint_id), first, look]


def _spike(spike: Spike, known: Known, words: ChatWords) -> list[str]:
    lang = words.lang
    form = words.detected if isinstance(spike, GrowthSpikeDetected) else words.closed
    first = form.format(
        what=_what(spike.kind, known.title, words),
        published=moment_text(spike.published_at, lang),
        as_of=moment_text(spike.as_of, lang),
        observed=number(spike.observed),
        expected=number(spike.expected),
        extra=extra_text(spike.extra, spike.low, spike.high, words.growth),
    )
    sure = words.as_known.format(
        verdict=words.growth.verdicts[spike.verdict],
        note=words.growth.verdict_notes[spike.verdict],
        as_of=moment_text(spike.as_of, lang),
    )
    entrance = words.entrance if spike.theme_id else ""
    return [first, entrance, sure, *_credit(spike, words), words.no_cause]


def _credit(spike: Spike, words: ChatWords) -> list[str]:
    if not isinstance(spike, GrowthSpikeClosed):
        return []
    if spike.joint_with:
        low, high = number(spike.joint_low), number(spike.joint_high)
        return [words.joint.format(n=number(spike.joint_credit), low=low, high=high)]
    low, high = number(spike.credit_low), number(spike.credit_high)
    return [words.credited.format(credit=number(spike.credit), low=low, high=high)]


def _trouble(trouble: DeliveryExhausted | EndpointDisabled, known: Known, words: ChatWords) -> list[str]:
    look = words.look.format(delivery=known.delivery) if known.delivery else ""
    if isinstance(trouble, DeliveryExhausted):
        status = trouble.last_status
        answer = words.not_answered if status is None else words.answered.format(status=status)
        event = _event_name(trouble.event_type)
        given_up = words.exhausted.format(
            endpoint=trouble.endpoint_id, attempts=number(trouble.attempts), event=event, answer=answer
        )
        return [given_up, look]
    disabled = words.disabled[trouble.reason_code].format(endpoint=trouble.endpoint_id)
    last = trouble.last_event_type
    return [disabled, words.last_tried.format(event=_event_name(last)) if last else "", look]


def _archive(
    event: Event, archive: ArchivePublished | ArchiveCorrected | ArchiveWithdrawn, known: Known, words: ChatWords
) -> list[str]:
    if isinstance(archive, ArchiveWithdrawn):
        return [words.withdrawn.format(reason=words.withdraw_reasons[archive.reason_code])]
    if isinstance(archive, ArchiveCorrected):
        title = archive.title or known.title
        if title is None:
            return [words.corrected]
        return [words.corrected_title.format(title=_in(title, words))]
    return [
        words.published.format(
            published=moment_text(event.envelope.time, words.lang),
            what=_what(archive.kind, archive.title, words),
            audience=words.audiences[archive.audience],
        )
    ]


def _session(session: Any, words: ChatWords) -> list[str]:
    def moment(at: Any) -> str:
        return moment_text(at, words.lang)

    match session:
        case SessionScheduled(starts_at=starts, ends_at=ends):
            return [words.scheduled.format(starts=moment(starts), ends=moment(ends))]
        case SessionRescheduled(starts_at=starts, ends_at=ends):
            return [words.rescheduled.format(starts=moment(starts), ends=moment(ends))]
        case SessionCancelled(reason_code=reason):
            return [words.cancelled.format(reason=words.cancel_reasons[reason])]
        case SessionHeld(started_at=started, attendees=attendees):
            taking_part = "" if attendees is None else words.attendees.format(n=number(attendees))
            return [words.held.format(started=moment(started)), taking_part]
    return []


def _what(kind: str, title: Title | None, words: ChatWords) -> str:
    if kind == "session":
        return words.session
    if title is None:
        return words.untitled.format(kind=_kind(kind, words))
    return words.titled.format(kind=_kind(kind, words), title=_in(title, words))


def _kind(kind: str, words: ChatWords) -> str:
    return words.growth.kinds[kind].lower()


def _in(title: Title, words: ChatWords) -> str:
    return plain(title.ja if words.lang == "ja" else title.en)


def _event_name(event_type: str) -> str:
    entry = CATALOGUE.by_type(event_type)
    return plain(entry.name if entry else event_type)
