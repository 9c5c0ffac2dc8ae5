"""What the world is told of growth: alarms, their end, milestones; each once, whatever is restated afterwards."""

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.metrics.domain.board import Ledger, Row
from services.metrics.domain.counts import moment_of
from services.metrics.growth.milestones import Milestone
from shared.catalogue import EventData, GrowthSpikeClosed, GrowthSpikeDetected, MilestoneReached

COMMUNITY = "community"
_IDS = uuid.UUID("a3c1f6d2-7b54-5e0a-8c9f-6b6169726e05")
_THEME = "theme:"


class About(NamedTuple):
    """What an event is about: it is told once, whoever leads and however often the ledger is made anew."""

    stream: str
    subject: str
    what: str

    @property
    def id(self) -> str:
        """The event's id, a UUIDv5 of the three."""
        return str(uuid.uuid5(_IDS, "\n".join(self)))


class News(NamedTuple):
    """Something to tell. `at`: when it happened."""

    about: About
    at: datetime
    data: EventData

    @property
    def claim(self) -> tuple[About, datetime]:
        """What has to stay the same for a while before it is told."""
        return self.about, self.at


@dataclass
class Told:
    """What was told so far: all that a leader has to know to tell nothing twice."""

    ids: set[str] = field(default_factory=set)
    alarms: dict[tuple[str, str], datetime] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    highest: int = 0

    def note(self, news: News) -> int:
        """Takes it as told; gives the version of its subject."""
        self.ids.add(news.about.id)
        version = self.versions[news.about.subject] = self.versions.get(news.about.subject, 0) + 1
        if isinstance(news.data, GrowthSpikeDetected):
            self.alarms[news.about.stream, news.about.subject] = news.at
        if isinstance(news.data, MilestoneReached):
            self.highest = max(self.highest, news.data.value)
        return version


def with_alarms(ledger: Ledger, alarms: Mapping[tuple[str, str], datetime]) -> Ledger:
    """The ledger with the alarms as they were raised: an alarm once told stays, the verdict is as known now.

    Only where a correction moved the publication behind its alarm does the alarm say nothing about it any more.
    """
    rows = []
    for row in ledger.publications:
        raised = alarms.get((ledger.stream, row.id))
        kept = raised if raised is not None and raised > row.window_from else row.alarm_at
        rows.append(row if kept == row.alarm_at else row.model_copy(update={"alarm_at": kept}))
    return ledger.model_copy(update={"publications": tuple(rows)})


def spikes(ledger: Ledger, told: Told) -> Iterator[News]:
    """Alarms that nobody was told of, and windows after an alarm that have come to their end.

    An alarm of a stream with too little data stands in the ledger, and nobody is woken by it.
    """
    for row in ledger.publications:
        if row.alarm_at is None or ledger.as_of is None:
            continue
        detected = About(ledger.stream, row.id, "detected")
        if detected.id not in told.ids:
            if row.verdict == "too_little_data":
                continue
            yield News(detected, row.alarm_at, _spike(GrowthSpikeDetected, row, ledger))
        closed = About(ledger.stream, row.id, "closed")
        if row.complete and closed.id not in told.ids:
            yield News(closed, row.window_to, _spike(GrowthSpikeClosed, row, ledger))


def milestones(found: Iterable[Milestone], as_of: datetime, told: Told) -> Iterator[News]:
    """Those above the highest that was told: a history that is imported later takes none back and adds no lower one."""
    for value, hour in found:
        about = About("all", COMMUNITY, f"members:{value}")
        if value > told.highest and about.id not in told.ids:
            yield News(about, moment_of(hour), MilestoneReached(measure="members", value=value, as_of=as_of))


def _spike(event: type[EventData], row: Row, ledger: Ledger) -> EventData:
    """The event with the row's figures that it has a place for."""
    return event(
        **row.model_dump(include=set(event.model_fields)),
        publication_id=row.id,
        theme_id=ledger.stream.removeprefix(_THEME) if ledger.stream.startswith(_THEME) else None,
        as_of=ledger.as_of,
    )
