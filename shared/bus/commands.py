"""Group commit: commands that wait share one transaction with their events (aggregate, outbox, idempotency, claims)."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from shared import tasks
from shared.bus import outbox
from shared.bus.command import (
    Command,
    IdempotencyKey,
    NewEvent,
    Outcome,
    Overloaded,
    Refused,
    Requirement,
    State,
    event_id,
)
from shared.catalogue import CATALOGUE, TooLarge
from shared.store.mongo import (
    Document,
    InsertOne,
    ReplaceOne,
    Session,
    Store,
    StoreError,
    is_duplicate,
    is_infrastructure,
)
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

IDEMPOTENCY = "idempotency"
CLAIMS = "claims"
KEPT = timedelta(days=30)
_MOST = 200
_OTHER_REQUEST = Refused(
    422,
    "idempotency-key-reused",
    "Idempotency-Key was used for another request",
    "This key belongs to a different request; send a new key with a new request.",
)


@dataclass(slots=True)
class _Waiting:
    command: Command
    answer: asyncio.Future[Outcome]


@dataclass(slots=True)
class _Batch:
    """What one transaction reads first and writes last; the decisions in between are pure."""

    states: dict[tuple[str, str], State | None] = field(default_factory=dict)
    answers: dict[str, Document] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    loaded: set[tuple[str, str]] = field(default_factory=set)
    touched: set[tuple[str, str]] = field(default_factory=set)
    released: set[str] = field(default_factory=set)
    new_claims: dict[str, str] = field(default_factory=dict)
    new_answers: list[Document] = field(default_factory=list)
    outgoing: list[Document] = field(default_factory=list)


class Commands:
    """Executes the commands of one service; at most 200 that wait at the same moment share a transaction.

    Commands on one aggregate run one after another on each other's result; a refused one is answered alone and
    leaves the batch. A batch that aborts twice is split. `on_commit` is called after a commit that wrote events.
    """

    def __init__(
        self,
        store: Store,
        source: str,
        *,
        outbox_limit: int = 1_000_000,
        on_commit: Callable[[], None] = lambda: None,
        stream_clock: bool = False,
    ) -> None:
        self._store = store
        self._source = source
        self._service = source.rsplit("/", 1)[-1]
        self._limit = outbox_limit
        self._on_commit = on_commit
        self._stream_clock = stream_clock
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.outbox_depth = 0
        self.name = "commands"

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="commands")

    async def stop(self) -> None:
        if self._task:
            await self._queue.join()
            await tasks.end([self._task])

    def measured(self, depth: int) -> None:
        """Takes the outbox's depth: above the limit, commands are refused until Kafka has caught up."""
        self.outbox_depth = depth

    async def execute(self, command: Command) -> Outcome:
        """Decides and stores; returns when the result is durable. Raises Refused, Overloaded, TooLarge."""
        if self.outbox_depth > self._limit:
            raise Overloaded(f"{self.outbox_depth} events wait for Kafka, the limit is {self._limit}")
        waiting = _Waiting(command, asyncio.get_running_loop().create_future())
        self._queue.put_nowait(waiting)
        return await waiting.answer

    async def _run(self) -> None:
        await self._prepare()
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _MOST and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                await self._commit(batch)
            except asyncio.CancelledError:
                _answer_all(batch, Overloaded("the service is stopping"))
                raise
            except Exception as error:
                _answer_all(batch, error)
            finally:
                for _ in batch:
                    self._queue.task_done()

    async def _prepare(self) -> None:
        """Kept answers expire after 30 days. An index is no reason to wait for a database that is away."""
        try:
            await self._store.ensure_expiry(IDEMPOTENCY, "at", int(KEPT.total_seconds()))
        except StoreError as error:
            log.warning("index_missing", collection=IDEMPOTENCY, error=type(error).__name__)

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        started = time.perf_counter()
        try:
            results, wrote = await self._attempt(batch)
        except StoreError as error:
            if len(batch) > 1 and not _is_away(error):
                metrics.COMMAND_BATCH_ABORTS.labels(self._service).inc()
                half = len(batch) // 2
                await self._commit(batch[:half])
                await self._commit(batch[half:])
                return
            log.warning("command_batch_failed", size=len(batch), error=type(error).__name__)
            _answer_all(
                batch, Overloaded("the database did not confirm the command; repeat it with the same Idempotency-Key")
            )
            return
        metrics.COMMAND_BATCH_SIZE.labels(self._service).observe(len(batch))
        metrics.COMMAND_SECONDS.labels(self._service).observe(time.perf_counter() - started)
        if wrote:
            self._on_commit()
        for waiting, result in zip(batch, results, strict=True):
            self._settle(waiting, result)

    async def _attempt(self, batch: Sequence[_Waiting]) -> tuple[list[Outcome | Exception], bool]:
        try:
            return await self._transact(batch)
        except StoreError as error:
            if not is_duplicate(error):
                raise
        # A twin on another replica wrote the same key or claim first; the second run reads what it wrote.
        return await self._transact(batch)

    async def _transact(self, batch: Sequence[_Waiting]) -> tuple[list[Outcome | Exception], bool]:
        commands = [waiting.command for waiting in batch]

        async def work(session: Session) -> tuple[list[Outcome | Exception], bool]:
            found = await self._read(commands, session)
            results = [await self._decide(command, found, session) for command in commands]
            await self._write(found, session)
            return results, bool(found.outgoing)

        return await self._store.transaction(work)

    def _settle(self, waiting: _Waiting, result: Outcome | Exception) -> None:
        outcome = "refused" if isinstance(result, Exception) else "replayed" if result.replayed else "done"
        metrics.COMMANDS.labels(self._service, outcome).inc()
        if waiting.answer.done():
            return
        if isinstance(result, Exception):
            waiting.answer.set_exception(result)
        else:
            waiting.answer.set_result(result)

    async def _read(self, commands: Sequence[Command], session: Session) -> _Batch:
        found = _Batch()
        keys = [command.key.row_id for command in commands if command.key]
        for row in await self._find(IDEMPOTENCY, keys, session):
            found.answers[row["_id"]] = row
        wanted: dict[str, set[str]] = defaultdict(set)
        for command in commands:
            if not command.creates:
                wanted[command.collection].add(command.aggregate_id)
            for requirement in command.requires:
                wanted[requirement.collection].add(requirement.id)
        for collection, ids in wanted.items():
            found.loaded |= {(collection, one) for one in ids}
            for state in await self._find(collection, ids, session):
                found.states[collection, state["_id"]] = state
        return found

    async def _find(self, collection: str, ids: Iterable[str], session: Session) -> list[Document]:
        ids = list(ids)
        if not ids:
            return []
        found: list[Document] = await (
            self._store.collection(collection).find({"_id": {"$in": ids}}, session=session).to_list(None)
        )
        return found

    async def _decide(self, command: Command, found: _Batch, session: Session) -> Outcome | Exception:
        """One command on its predecessors' results; a refusal leaves `found` as it was."""
        kept = found.answers.get(command.key.row_id) if command.key else None
        if kept is not None and command.key:
            return _again(kept, command.key)
        where = (command.collection, command.aggregate_id)
        before = found.states.get(where)
        try:
            _check_requirements(command.requires, found)
            decision = command.decide(None if before is None else dict(before))
            await self._check_claims(command, decision.claims, found, session)
            version, outgoing = self._facts(command, decision.events, before)
        except (Refused, TooLarge) as refusal:
            return refusal
        found.states[where] = {**decision.state, "_id": command.aggregate_id, "version": version}
        found.touched.add(where)
        found.outgoing += outgoing
        found.new_claims |= dict.fromkeys(decision.claims, command.aggregate_id)
        found.claims |= found.new_claims
        for claim in decision.releases:
            found.released.add(claim)
            found.claims.pop(claim, None)
        if command.key:
            answer = _answer_row(command.key, decision.status, command.aggregate_id, version)
            found.answers[command.key.row_id] = answer
            found.new_answers.append(answer)
        return Outcome(decision.status, command.aggregate_id, version)

    async def _check_claims(self, command: Command, claims: Sequence[str], found: _Batch, session: Session) -> None:
        unknown = [claim for claim in claims if claim not in found.claims]
        for row in await self._find(CLAIMS, unknown, session):
            if row["_id"] not in found.released:
                found.claims[row["_id"]] = row["holder"]
        if any(found.claims.get(claim, command.aggregate_id) != command.aggregate_id for claim in claims):
            raise command.claimed or Refused(409, "already-taken", "Already taken", "Another one holds this name.")

    def _facts(self, command: Command, events: Sequence[NewEvent], before: State | None) -> tuple[int, list[Document]]:
        version = before["version"] if before else 0
        now = datetime.now(UTC)
        facts = []
        for n, event in enumerate(events):
            version += event.counted
            facts.append(
                outbox.Fact(
                    id=event_id(command.id if not command.key else command.key.command_id, n),
                    type=event.type or CATALOGUE.for_model(type(event.data)),  # type: ignore[arg-type]
                    data=event.data,
                    subject=event.subject,
                    version=version,
                    occurred_at=event.occurred_at,
                    recorded_at=event.recorded_at or (event.occurred_at if self._stream_clock else now),
                    correlation_id=command.correlation_id,
                    traceparent=command.traceparent,
                )
            )
        return version, outbox.documents(self._source, facts)

    async def _write(self, found: _Batch, session: Session) -> None:
        by_collection: dict[str, list[Any]] = defaultdict(list)
        for where in found.touched:
            collection, identity = where
            state = found.states[where]
            by_collection[collection].append(
                ReplaceOne({"_id": identity}, state, upsert=True) if where in found.loaded else InsertOne(state)
            )
        for collection, writes in by_collection.items():
            await self._store.collection(collection).bulk_write(writes, ordered=False, session=session)
        if found.released:
            await self._store.collection(CLAIMS).delete_many({"_id": {"$in": list(found.released)}}, session=session)
        for collection, rows in (
            (CLAIMS, [{"_id": claim, "holder": holder} for claim, holder in found.new_claims.items()]),
            (outbox.COLLECTION, found.outgoing),
            (IDEMPOTENCY, found.new_answers),
        ):
            if rows:
                await self._store.collection(collection).insert_many(rows, session=session)


def _check_requirements(requirements: Sequence[Requirement], found: _Batch) -> None:
    for one in requirements:
        if found.states.get((one.collection, one.id)) is None:
            raise one.refusal


def _again(kept: Document, key: IdempotencyKey) -> Outcome | Exception:
    if kept["hash"] != key.request_hash:
        return _OTHER_REQUEST
    return Outcome(kept["status"], kept["resource_id"], kept["version"], replayed=True)


def _answer_row(key: IdempotencyKey, status: int, resource_id: str, version: int) -> Document:
    return {
        "_id": key.row_id,
        "hash": key.request_hash,
        "status": status,
        "resource_id": resource_id,
        "version": version,
        "at": datetime.now(UTC),
    }


def _answer_all(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)


def _is_away(error: StoreError) -> bool:
    """The server itself is away: splitting the batch would only wait longer."""
    return is_infrastructure(error) and not error.has_error_label("TransientTransactionError")
