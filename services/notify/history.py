"""What the bus recorded in a stretch of time, read again for one endpoint: a bounded reader without a group."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aiokafka import TopicPartition

from services.notify.domain import OFFERED, TOPICS
from services.notify.endpoint import Endpoint
from services.notify.globs import any_matches
from services.notify.listing import Listing
from services.notify.planning import Planned, plan
from services.notify.question import EARLIEST, LATEST, ms_of
from services.notify.selection import History
from shared.bus.kafka_metadata import describe
from shared.bus.reader import event_of, reading
from shared.catalogue import CATALOGUE, Event

CHUNK: Final = 500
_FETCH_MS: Final = 500
Offsets = dict[str, int]
"""The next offset of each `topic/partition`."""


@dataclass(frozen=True)
class Stretch:
    """What is left to be read of the log: from `at` to before `end`, by partition."""

    at: Offsets
    end: Offsets

    @property
    def left(self) -> int:
        return sum(max(0, self.end[name] - self.at[name]) for name in self.end)


@dataclass(frozen=True)
class Found:
    """Some of the log: what the endpoint would get of it, and where it goes on."""

    planned: list[Planned]
    at: Offsets


class Records:
    """Opens the log. Raises KafkaError when no broker answers."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def stretch(self, start: datetime, end: datetime) -> Stretch:
        """What was recorded from `start` on and before `end`, by the records' timestamps."""
        async with self._consumer() as consumer:
            _, places = await describe(self._bootstrap, TOPICS)
            consumer.assign(places)
            last = await consumer.end_offsets(places)
            first = await consumer.offsets_for_times(dict.fromkeys(places, _stamp(start)))
            after = await consumer.offsets_for_times(dict.fromkeys(places, _stamp(end)))
        at = {_name(place): first[place].offset if first[place] else last[place] for place in places}
        until = {_name(place): after[place].offset if after[place] else last[place] for place in places}
        return Stretch(at, until)

    async def read(
        self, stretch: Stretch, endpoint: Endpoint, selection: History, chunk: int = CHUNK
    ) -> AsyncGenerator[Found, None]:
        """Pieces of at most `chunk` records, until the end; in order by subject, across subjects in none."""
        places = [_place(name) for name in stretch.end if stretch.at[name] < stretch.end[name]]
        at = {**stretch.at}
        if not places:
            return
        async with self._consumer() as consumer:
            consumer.assign(places)
            for place in places:
                consumer.seek(place, at[_name(place)])
            while [place for place in places if at[_name(place)] < stretch.end[_name(place)]]:
                planned: list[Planned] = []
                for place, records in (await consumer.getmany(timeout_ms=_FETCH_MS, max_records=chunk)).items():
                    wanted = [one for one in records if one.offset < stretch.end[_name(place)]]
                    planned += _planned(wanted, as_if_always_there(endpoint), selection)
                for place in places:
                    at[_name(place)] = min(await consumer.position(place), stretch.end[_name(place)])
                    if at[_name(place)] == stretch.end[_name(place)]:
                        consumer.pause(place)
                yield Found(planned, dict(at))
                await asyncio.sleep(0)

    def _consumer(self) -> AbstractAsyncContextManager[Any]:
        return reading(self._bootstrap, isolation_level="read_committed", auto_offset_reset="earliest")


def _stamp(moment: datetime) -> int:
    """As records have it; Kafka knows no time before 1970."""
    return ms_of(min(max(moment, EARLIEST), LATEST))


def as_if_always_there(endpoint: Endpoint) -> Endpoint:
    """The endpoint as history meets it: what was recorded before it was made counts, and nothing is too old."""
    return replace(endpoint, created_ms=0, expires_after_s={})


def _planned(records: list[Any], endpoint: Endpoint, selection: History) -> list[Planned]:
    found: list[Planned] = []
    listing = Listing([endpoint])
    for record in records:
        event = event_of(record, OFFERED)
        if event is not None and _chosen(event, selection):
            found += plan(event, record.timestamp, listing)
    return found


def _chosen(event: Event, selection: History) -> bool:
    if selection.event_types is None:
        return True
    entry = CATALOGUE.by_type(event.envelope.type)
    return entry is not None and any_matches(tuple(selection.event_types), entry.name)


def _name(place: TopicPartition) -> str:
    # A topic's dots would be read as paths by the database.
    return f"{place.topic.replace('.', ':')}/{place.partition}"


def _place(name: str) -> TopicPartition:
    topic, _, partition = name.rpartition("/")
    return TopicPartition(topic.replace(":", "."), int(partition))
