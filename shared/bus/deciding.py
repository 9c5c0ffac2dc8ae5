"""One transaction of a batch of commands: read what they need, decide one after the other, write all results."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.bus import outbox
from shared.bus.command import Command, IdempotencyKey, NewEvent, Outcome, Refused, Requirement, State, event_id
from shared.catalogue import CATALOGUE
from shared.store.mongo import Document, InsertOne, ReplaceOne, Session, Store

IDEMPOTENCY = "idempotency"
CLAIMS = "claims"
KEPT = timedelta(days=30)
_OTHER_REQUEST = Refused(
    422,
    "idempotency-key-reused",
    "Idempotency-Key was used for another request",
    "This key belongs to a different request; send a new key with a new request.",
)
Result = Outcome | Exception


@dataclass(slots=True)
class _Found:
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
    also: list[tuple[str, Document]] = field(default_factory=list)


class Decisions:
    """Decides batches of one service's commands; `source` is the CloudEvents source of the facts."""

    def __init__(self, store: Store, source: str, *, stream_clock: bool) -> None:
        self._store = store
        self._source = source
        self._stream_clock = stream_clock

    async def run(self, commands: Sequence[Command]) -> tuple[list[Result], bool]:
        """The commands' results in order, and whether there are new events. All in one transaction."""

        async def work(session: Session) -> tuple[list[Result], bool]:
            found = await self._read(commands, session)
            results = [self._decide(command, found) for command in commands]
            await self._write(found, session)
            return results, bool(found.outgoing)

        return await self._store.transaction(work)

    async def _read(self, commands: Sequence[Command], session: Session) -> _Found:
        found = _Found()
        keys = [command.key.row_id for command in commands if command.key]
        for row in await self._find(IDEMPOTENCY, keys, session):
            found.answers[row["_id"]] = row
        for row in await self._find(CLAIMS, {claim for command in commands for claim in command.may_claim}, session):
            found.claims[row["_id"]] = row["holder"]
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

    def _decide(self, command: Command, found: _Found) -> Result:
        """One command on its predecessors' results; a refusal leaves `found` as it was."""
        kept = found.answers.get(command.key.row_id) if command.key else None
        if kept is not None and command.key:
            return _again(kept, command.key)
        where = (command.collection, command.aggregate_id)
        before = found.states.get(where)
        try:
            _check_requirements(command.requires, found)
            decision = command.decide(None if before is None else dict(before))
            _check_claims(command, decision.claims, found)
            version, outgoing = self._facts(command, decision.events, before)
        except Exception as refusal:  # a refusal, or a fault of this one decision: the others go on without it
            return refusal
        found.states[where] = {**decision.state, "_id": command.aggregate_id, "version": version}
        found.touched.add(where)
        found.outgoing += outgoing
        found.also += decision.also
        found.new_claims |= dict.fromkeys(decision.claims, command.aggregate_id)
        found.claims |= found.new_claims
        for claim in decision.releases:
            found.released.add(claim)
            found.new_claims.pop(claim, None)
            found.claims.pop(claim, None)
        if command.key:
            answer = _answer_row(command.key, decision.status, command.aggregate_id, version)
            found.answers[command.key.row_id] = answer
            found.new_answers.append(answer)
        return Outcome(decision.status, command.aggregate_id, version)

    def _facts(self, command: Command, events: Sequence[NewEvent], before: State | None) -> tuple[int, list[Document]]:
        version = before["version"] if before else 0
        now = datetime.now(UTC)
        command_id = command.key.command_id if command.key else command.id
        facts = []
        for n, event in enumerate(events):
            version += event.counted
            facts.append(
                outbox.Fact(
                    id=event_id(command_id, n),
                    type=event.type or CATALOGUE.for_model(type(event.data)),  # type: ignore[arg-type]
                    data=event.data,
                    subject=event.subject,
                    version=version,
                    occurred_at=event.occurred_at,
                    recorded_at=event.recorded_at or (event.occurred_at if self._stream_clock else now),
                    correlation_id=command.correlation_id or str(command_id),
                    traceparent=command.traceparent,
                )
            )
        return version, outbox.documents(self._source, facts)

    async def _write(self, found: _Found, session: Session) -> None:
        by_collection: dict[str, list[Any]] = defaultdict(list)
        for where in found.touched:
            collection, identity = where
            state = found.states[where]
            by_collection[collection].append(
                ReplaceOne({"_id": identity}, state, upsert=True) if where in found.loaded else InsertOne(state)
            )
        for collection, document in found.also:
            by_collection[collection].append(InsertOne(document))
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


def _check_claims(command: Command, claims: Sequence[str], found: _Found) -> None:
    if not set(claims) <= set(command.may_claim):
        raise ValueError("a claim was decided that the command did not foresee")
    if any(found.claims.get(claim, command.aggregate_id) != command.aggregate_id for claim in claims):
        raise command.claimed or Refused(409, "already-taken", "Already taken", "Another one holds this name.")


def _check_requirements(requirements: Sequence[Requirement], found: _Found) -> None:
    for one in requirements:
        if found.states.get((one.collection, one.id)) is None:
            raise one.refusal


def _again(kept: Document, key: IdempotencyKey) -> Result:
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
