"""Facts for metrics to hear: events as other services publish them, and whole lives for property tests."""

import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hypothesis import strategies as st

from shared.catalogue import (
    CATALOGUE,
    ArchiveCorrected,
    ArchivePublished,
    ArchiveWithdrawn,
    Envelope,
    Event,
    EventData,
    JoinVoided,
    MemberJoined,
    MemberLeft,
    MemberProfile,
    SessionHeld,
    TimePassed,
    Title,
)

EPOCH = datetime(2021, 4, 1, tzinfo=UTC)
_ids = itertools.count(1)
Precision = Literal["hour", "day", "unknown"]


def fact(data: EventData, subject: str, at: datetime, version: int = 1, recorded: datetime | None = None) -> Event:
    """An event about `subject`; ids are unique in the process."""
    entry = CATALOGUE.for_model(type(data))
    envelope = Envelope(
        id=f"{subject}-{version}-{next(_ids)}",
        source=f"/kairan/{entry.publisher}",
        type=entry.type,
        subject=subject,
        time=at,
        recorded_time=recorded or at,
        aggregate_version=version,
    )
    return Event(envelope, data)


def joined(
    at: datetime, member: str = "", precision: Precision = "hour", theme: str | None = None, ref: str | None = None
) -> Event:
    source: Literal["publication", "search"] = "publication" if ref else "search"
    data = MemberJoined(source=source, source_ref=ref, joined_precision=precision, entrance_theme_id=theme)
    return fact(data, member or f"m-{next(_ids)}", at)


def left(at: datetime, member: str, joined_at: datetime | None = None, precision: Precision = "hour") -> Event:
    """`joined_at` None: an event of the time before it said when the member had joined."""
    said = {} if joined_at is None else {"joined_at": joined_at, "joined_precision": precision}
    return fact(MemberLeft(reason_code="self", **said), member, at, 2)  # type: ignore[arg-type]


def tombstone(member: str, at: datetime, version: int) -> Event:
    """The end of a member's profile."""
    template = fact(MemberProfile(), member, at, version)
    return Event(template.envelope, None)


def voided(join: Event, at: datetime, left_at: datetime | None = None) -> Event:
    assert isinstance(join.data, MemberJoined)
    data = JoinVoided(
        joined_at=join.envelope.time,
        joined_precision=join.data.joined_precision,
        left_at=left_at,
        reason_code="test",
        entrance_theme_id=join.data.entrance_theme_id,
        source=join.data.source,
        source_ref=join.data.source_ref,
    )
    return fact(data, join.envelope.subject, at, 3 if left_at else 2)


def published(archive: str, at: datetime, kind: Any = "magazine_issue", title: str = "Issue", **said: Any) -> Event:
    data = ArchivePublished(kind=kind, audience="public", title=Title(ja=f"{title} 号", en=title), **said)
    return fact(data, archive, at)


def corrected(archive: str, at: datetime, version: int, **changes: Any) -> Event:
    return fact(ArchiveCorrected(**changes), archive, at, version)


def withdrawn(archive: str, at: datetime, version: int) -> Event:
    return fact(ArchiveWithdrawn(reason_code="mistake"), archive, at, version)


def held(session: str, ended_at: datetime) -> Event:
    started = ended_at - timedelta(hours=2)
    return fact(SessionHeld(started_at=started, ended_at=ended_at, attendees=200), session, started, 2)


def time_passed(until: datetime) -> Event:
    return fact(TimePassed(until=until), "clock", until)


_moments = st.integers(0, 90 * 24 * 60).map(lambda minutes: EPOCH + timedelta(minutes=minutes))


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """One member's story: joined, perhaps left, perhaps void."""
    at = draw(_moments)
    theme = draw(st.sampled_from([None, "care", "digital"]))
    precision = draw(st.sampled_from(["hour", "day", "unknown"]))
    story = [joined(at, precision=precision, theme=theme, ref=draw(st.sampled_from([None, "issue", "c0de"])))]
    member = story[0].envelope.subject
    left_at = at + timedelta(days=draw(st.integers(1, 30))) if draw(st.booleans()) else None
    if left_at:
        story.append(left(left_at, member, at, precision))
    if draw(st.booleans()):
        story.append(voided(story[0], at + timedelta(days=40), left_at))
    return story


@st.composite
def archives(draw: st.DrawFn) -> list[Event]:
    """One archive's story: published, corrected some times, perhaps withdrawn."""
    archive = f"a-{next(_ids)}"
    story = [published(archive, draw(_moments), title=draw(st.sampled_from(["One", "Two"])))]
    for version in range(2, 2 + draw(st.integers(0, 3))):
        changes = draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "published_at": _moments,
                    "kind": st.sampled_from(["article", "broadcast"]),
                    "title": st.just(Title(ja="訂正", en=f"Corrected {version}")),
                },
            )
        )
        story.append(corrected(archive, EPOCH, version, **changes))
    if draw(st.booleans()):
        story.append(withdrawn(archive, EPOCH, len(story) + 1))
    return story


def year_of_joins(seed: int, days: int, per_day: float, start: datetime) -> list[Event]:
    """A calm stream of joins, by the hour of the Japanese day."""
    dice = random.Random(seed)
    hours = days * 24
    return [
        joined(start + timedelta(hours=hour, minutes=dice.randrange(60)))
        for hour in range(hours)
        for _ in range(sum(dice.random() < per_day / 24 / 8 for _ in range(8)))
    ]
