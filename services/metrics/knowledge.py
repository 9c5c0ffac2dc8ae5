"""What the leader holds in memory of one generation: counts, publications, and the ledger of every stream."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from services.metrics.domain.board import Ledger
from services.metrics.domain.captured import Captured
from services.metrics.domain.counts import ALL, hour_of, theme_stream
from services.metrics.domain.evaluation import Judged, judge
from services.metrics.domain.hours import Hours, Now
from services.metrics.domain.publications import Publication
from services.metrics.store.changes import Changes
from services.metrics.store.read_model import (
    CLOCK,
    COUNTS,
    NAMED,
    PUBLICATIONS,
    CountRow,
    NamedRow,
    ReadModel,
    StreamTime,
)
from shared.clock import ClockKind, wall_now
from shared.telemetry.metrics import EVALUATE_SECONDS

# A ledger may take at most a sixth of a core: after one that took long, the next one waits, at most so long.
_REST_FACTOR, _REST_MOST_S = 5, 2.0
# Entrances with a ledger of their own: those published for last. Each costs as much as the ledger of all joins.
ENTRANCES_MOST = 200


@dataclass
class Stream:
    """What is known of one stream, and the ledger that was made of it last."""

    name: str
    hours: Hours = field(default_factory=Hours)
    captured: Captured = field(default_factory=Captured)
    judged: Judged = field(default_factory=Judged)
    heard: bool = False
    changed_from: int | None = None

    def stale(self, as_of: datetime | None) -> bool:
        """Whether its ledger would differ if it were made now."""
        if as_of is None or as_of != self.judged.as_of or self.heard:
            return as_of is not None
        return self.changed_from is not None and self.changed_from < hour_of(as_of)


class Knowledge:
    """Only what has changed is read again; ledgers are made of what has changed before their as-of."""

    def __init__(self, model: ReadModel, clock: ClockKind) -> None:
        self._model = model
        self._clock = clock
        self._streams = {ALL: Stream(ALL)}
        self._publications: dict[str, Publication] = {}
        self._time = StreamTime()
        self._entrances: set[str] | None = None
        self._rest_until = 0.0
        self.late_from: int | None = None
        self.read_at = 0.0

    @property
    def everything(self) -> Stream:
        """The stream of all joins."""
        return self._streams[ALL]

    async def read(self) -> None:
        """Reads everything."""
        self.read_at = time.monotonic()
        self._put_counts(await self._model.counts())
        self._put_named(await self._model.named())
        self._put_publications(await self._model.publications())
        self._time = await self._model.stream_time()

    async def read_again(self, changes: Changes) -> None:
        """Reads what has changed."""
        self.read_at = time.monotonic()
        if counts := changes.take(COUNTS):
            self._put_counts(await self._model.counts(counts))
        if named := changes.take(NAMED):
            self._put_named(await self._model.named(named))
        if publications := changes.take(PUBLICATIONS):
            self._put_publications(await self._model.publications(publications))
        if changes.take(CLOCK):
            self._time = await self._model.stream_time()

    @property
    def resting_s(self) -> float:
        """How long the next ledger still has to wait."""
        return max(0.0, self._rest_until - time.monotonic())

    def now(self) -> Now:
        """The community's now."""
        return Now(wall_now() if self._clock == "wall" else self._time.until)

    async def ledger(self, as_of: datetime | None) -> Judged:
        """The ledger of all joins, made anew only when something before its as-of has changed."""
        stream = self.everything
        if stream.stale(as_of):
            await self._judge(stream, as_of)
        return stream.judged

    async def ledger_then(self, as_of: datetime) -> Ledger:
        """What the facts known now say of an earlier as-of; nothing is kept of it."""
        everything = self.everything
        judged = await asyncio.to_thread(
            judge, everything.hours, self._of(ALL), as_of, self._time.since, captured=everything.captured
        )
        return judged.ledger

    async def one_entrance(self, as_of: datetime | None) -> Ledger | None:
        """The ledger of the entrance that waits longest, made anew; None when none waits."""
        waiting = self.waiting(as_of)
        if not waiting:
            return None
        stream = min(waiting, key=lambda one: (one.judged.as_of is not None, one.judged.as_of, one.name))
        await self._judge(stream, as_of)
        return stream.judged.ledger

    def waiting(self, as_of: datetime | None) -> list[Stream]:
        """Entrances whose ledger is old."""
        return [self._streams[name] for name in self.entrances() if self._streams[name].stale(as_of)]

    def entrances(self) -> set[str]:
        """The streams of entrances that have a ledger: joins came through them, and something was published there."""
        if self._entrances is None:
            self._entrances = self._find_entrances()
        return self._entrances

    def _find_entrances(self) -> set[str]:
        latest: dict[str, datetime] = {}
        for each in self._publications.values():
            for theme in each.theme_ids:
                name = theme_stream(theme)
                if name in self._streams:
                    latest[name] = max(latest.get(name, each.published_at), each.published_at)
        return set(sorted(latest, key=lambda name: (latest[name], name), reverse=True)[:ENTRANCES_MOST])

    async def _judge(self, stream: Stream, as_of: datetime | None) -> None:
        stream.heard, stream.changed_from = False, None
        started = time.monotonic()
        stream.judged = await asyncio.to_thread(
            judge,
            stream.hours,
            self._of(stream.name),
            as_of,
            self._time.since,
            stream=stream.name,
            captured=stream.captured,
        )
        took = time.monotonic() - started
        self._rest_until = time.monotonic() + min(took * _REST_FACTOR, _REST_MOST_S)
        EVALUATE_SECONDS.observe(took)

    def _of(self, stream: str) -> dict[str, Publication]:
        """The publications whose effect may be in a stream."""
        if stream == ALL:
            return dict(self._publications)
        return {one.id: one for one in self._publications.values() if stream in map(theme_stream, one.theme_ids)}

    def _put_counts(self, rows: Iterable[CountRow]) -> None:
        for row in rows:
            self._stream(row.stream).hours.put(row.id, row.hour, row.change)
        for stream in self._streams.values():
            changed = stream.hours.take_changed_from()
            stream.changed_from = _earlier(stream.changed_from, changed)
            if stream.name == ALL:
                self.late_from = _earlier(self.late_from, changed)

    def _put_named(self, rows: Iterable[NamedRow]) -> None:
        for row in rows:
            stream = self._stream(row.stream)
            if stream.captured.put(row.id, row.ref, row.hour, row.joins):
                stream.changed_from = _earlier(stream.changed_from, row.hour)

    def _put_publications(self, found: dict[str, Publication | None]) -> None:
        for publication_id, publication in found.items():
            before = self._publications.get(publication_id)
            if before == publication:
                continue
            self._entrances = None
            if publication is None:
                del self._publications[publication_id]
            else:
                self._publications[publication_id] = publication
            for one in (before, publication):
                if one is not None:
                    self.late_from = _earlier(self.late_from, hour_of(one.published_at))
                    for name in (ALL, *map(theme_stream, one.theme_ids)):
                        if name in self._streams:
                            self._streams[name].heard = True

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            self._streams[name] = Stream(name)
            self._entrances = None
        return self._streams[name]


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((hour for hour in (one, other) if hour is not None), default=None)
