"""One batch of records becomes state: decode, fence, inbox and apply in one transaction; poison goes its own way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog
from opentelemetry.trace import SpanKind

from shared.bus import generations
from shared.bus.breaker import Breaker
from shared.bus.generations import Tx
from shared.bus.inbox import Repeated, inbox_id, note, seen_before
from shared.bus.offsets import Fenced, Move, Offsets, Place
from shared.catalogue import Event, Poison, Skip, decode
from shared.store.mongo import Direct, Session, Store, is_infrastructure
from shared.telemetry import metrics, tracing

log = structlog.get_logger(__name__)

_TRIES = 3
_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True)
class Received:
    """An event as a consumer gets it. `timestamp_ms` is the wall time at which it was recorded."""

    event: Event
    topic: str
    partition: int
    offset: int
    timestamp_ms: int


class Apply(Protocol):
    """Merges events into the read model, with `tx`'s session on every write.

    Called with events that were never applied before, in order per key, possibly several times for the same events
    (the transaction is retried): no effect but its writes. Must give the same content in whatever order the events
    come. What it raises is poison, except errors of the infrastructure. Must not block the loop for over ~100 ms.
    """

    def __call__(self, batch: Sequence[Received], tx: Tx) -> Awaitable[None]: ...


class DeadLetters(Protocol):
    async def put(self, record: Any, reason: str, error: str) -> None: ...


class Stands(Protocol):
    """Where the consumer stands: its generation, and the offset of each partition that it last saw stored."""

    generation: int
    positions: dict[Place, int]


class Tripped(Exception):
    """Too many failures: the consumer must stop until somebody resumes it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a group hears and what it does with it. `rebuildable`: its read model has generations.

    `at_once()`: how many events a transaction may take now, where each of them can mean many writes.
    `look(batch, direct)`: what `apply` always reads first, for its `tx.looked`; without a call of its own.
    `apart_s`: so far apart transactions begin in a rush, when each takes more; 0 for haste, at more CPU.
    """

    group: str
    topics: tuple[str, ...]
    wanted: frozenset[str]
    apply: Apply
    rebuildable: bool = False
    start: str = "earliest"
    apart_s: float = 0.1
    at_once: Callable[[], Awaitable[int]] | None = None
    look: Callable[[Sequence[Received], Direct], Any] | None = None

    def inbox(self, generation: int) -> str:
        name = f"inbox.{self.group}"
        return generations.collection_name(name, generation) if self.rebuildable else name


@dataclass(frozen=True, slots=True)
class _Poisoned:
    reason: str
    error: str


@dataclass(frozen=True, slots=True)
class _Judged:
    """A record and what decoding made of it; None: it lies in the dead letters, only its offset is left to move."""

    record: Any
    outcome: Event | Skip | _Poisoned | None

    @property
    def place(self) -> Place:
        return Place(self.record.topic, self.record.partition)


class Batches:
    """Applies records of one subscription and moves the offsets that `standing` last saw stored."""

    def __init__(
        self,
        subscription: Subscription,
        store: Store,
        offsets: Offsets,
        standing: Stands,
        dead_letters: DeadLetters,
        breaker: Breaker,
    ) -> None:
        self._subscription = subscription
        self._group = subscription.group
        self._store = store
        self._offsets = offsets
        self._dead_letters = dead_letters
        self._breaker = breaker
        self._standing = standing

    async def handle(self, records: Sequence[Any]) -> None:
        """Applies `records` (in order per partition, each at or behind its position).

        Raises Fenced, Tripped, errors of the infrastructure; whatever was applied before stays applied.
        """
        judged = [self._judge(record) for record in records]
        run: list[_Judged] = []
        for one in judged:
            if not isinstance(one.outcome, _Poisoned):
                run.append(one)
                continue
            await self._apply_run(run)
            run = []
            await self._bury(one, one.outcome.reason, one.outcome.error)
        await self._apply_run(run)

    def _judge(self, record: Any) -> _Judged:
        try:
            outcome = decode(record.topic, record.key, record.value, record.headers, wanted=self._subscription.wanted)
        except Poison as poison:
            return _Judged(record, _Poisoned(poison.reason, str(poison)))
        return _Judged(record, outcome)

    async def _apply_run(self, run: Sequence[_Judged]) -> None:
        at_once = self._subscription.at_once
        size = max(1, len(run) if at_once is None or not run else await at_once())
        for start in range(0, len(run), size):
            await self._apply_together(run[start : start + size])

    async def _apply_together(self, run: Sequence[_Judged]) -> None:
        try:
            await self._commit(run)
        except Exception as error:
            if isinstance(error, Fenced) or is_infrastructure(error):
                raise
            log.warning("batch_taken_apart", group=self._group, size=len(run), error=type(error).__name__)
            for one in run:
                await self._apply_alone(one)
            return
        self._breaker.succeeded(len(run))

    async def _apply_alone(self, one: _Judged) -> None:
        for attempt in range(1, _TRIES + 1):
            try:
                await self._commit([one])
            except Exception as error:
                if isinstance(error, Fenced) or is_infrastructure(error):
                    raise
                if attempt == _TRIES:
                    await self._bury(one, "handler_error", type(error).__name__)
                    return
                await asyncio.sleep(_PAUSE_S * 2**attempt)
            else:
                self._breaker.succeeded()
                return

    async def _bury(self, one: _Judged, reason: str, error: str) -> None:
        record = one.record
        await self._dead_letters.put(record, reason, error)
        await self._commit([_Judged(record, None)])
        metrics.CONSUMER_DEAD_LETTERS.labels(self._group, record.topic, reason).inc()
        log.warning(
            "dead_letter",
            group=self._group,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            error=error,
        )
        if self._breaker.failed():
            raise Tripped(f"{self._breaker.in_a_row} failures in a row, the last: {reason}")

    async def _commit(self, run: Sequence[_Judged]) -> None:
        """State, inbox and offsets in one transaction; in memory the positions follow only after the commit."""
        started = time.perf_counter()
        moves = self._moves(run)
        received = [_received(one) for one in run if isinstance(one.outcome, Event)]

        tx = Tx(None, self._store, self._standing.generation)
        repeated = False

        async def work(session: Session) -> int:
            nonlocal tx, repeated
            try:
                fresh, looked = await self._store.together(session, partial(self._begin, moves, received, ask=repeated))
            except Repeated:
                repeated = True
                raise
            tx = Tx(session, self._store, self._standing.generation, looked)
            if fresh:
                await self._subscription.apply(fresh, tx)
            return len(fresh)

        def last(direct: Direct) -> None:
            for step in tx.last:
                step(direct)

        cause = received[0].event.envelope.traceparent if received else None
        with tracing.span_from(cause, f"apply {self._group}", SpanKind.CONSUMER):
            fresh = await self._store.transaction(work, last=last)
        for place, move in moves.items():
            self._standing.positions[place] = move.following
        for call in tx.after:
            call()
        self._count(run, received, fresh)
        metrics.CONSUMER_BATCH_SECONDS.labels(self._group).observe(time.perf_counter() - started)

    def _moves(self, run: Sequence[_Judged]) -> dict[Place, Move]:
        following = {one.place: one.record.offset + 1 for one in run}
        if not following.keys() <= self._standing.positions.keys():
            raise Fenced(f"{self._group}: partitions were taken away while a batch was applied")
        return {place: Move(self._standing.positions[place], offset) for place, offset in following.items()}

    def _begin(
        self, moves: Mapping[Place, Move], received: Sequence[Received], direct: Direct, *, ask: bool
    ) -> tuple[list[Received], Any]:
        """Moves the offsets and notes the events; answers those that were not applied before, and what `look` found.

        Repeats are rare: nobody asks for them before one was refused (ADR 0019). Raises Fenced, Repeated.
        """
        self._offsets.advance(self._standing.generation, moves, direct)
        by_id: dict[bytes, Received] = {}
        for one in received:
            by_id.setdefault(inbox_id(one.event.envelope), one)
        inbox = self._subscription.inbox(self._standing.generation)
        if ask:
            for applied in seen_before(inbox, by_id, direct):
                del by_id[applied]
        if by_id:
            note(inbox, by_id, direct)
        fresh = list(by_id.values())
        look = self._subscription.look
        return fresh, look(fresh, direct) if look is not None and fresh else None

    def _count(self, run: Sequence[_Judged], received: Sequence[Received], fresh: int) -> None:
        metrics.CONSUMER_RECORDS.labels(self._group, "applied").inc(fresh)
        if len(received) > fresh:
            metrics.CONSUMER_DUPLICATES.labels(self._group).inc(len(received) - fresh)
        for reason in (one.outcome.reason for one in run if isinstance(one.outcome, Skip)):
            metrics.CONSUMER_SKIPPED.labels(self._group, reason).inc()
        if received:
            age = time.time() - received[-1].timestamp_ms / 1000
            metrics.CONSUMER_EVENT_AGE_SECONDS.labels(self._group).observe(max(0.0, age))


def _received(one: _Judged) -> Received:
    assert isinstance(one.outcome, Event)
    record = one.record
    return Received(one.outcome, record.topic, record.partition, record.offset, record.timestamp)


def by_place(records: Iterable[Any]) -> dict[Place, list[Any]]:
    """Records of each partition, in order."""
    found: dict[Place, list[Any]] = {}
    for record in records:
        found.setdefault(Place(record.topic, record.partition), []).append(record)
    return found
