"""A delivery as it is stored, read and written down again: the documents of `deliveries` and `lanes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.notify.outcome import Answer, Verdict
from services.notify.planning import Planned
from shared.store.mongo import Binary, Document, UpdateMany, UpdateOne


@dataclass(frozen=True)
class Waiting:
    """A delivery that is due: `made` attempts were made before this one, `made_before` of them before a replay."""

    id: str
    endpoint_id: str
    sequence: int
    made: int
    event_type: str
    event_id: str
    recorded_ms: int
    body: bytes = field(repr=False)
    made_before: int = 0
    people: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Lane:
    """What is kept per endpoint beside its settings; `failing_since_ms` is the first of an unbroken row of failures."""

    endpoint_id: str
    sequence: int
    failing_since_ms: int | None


@dataclass(frozen=True)
class Settled:
    """One attempt's end, as it is to be written down. Times in wall milliseconds.

    `disclosed` says to whom and why people's real ids were given; None where the endpoint has ids of its own.
    """

    delivery: Waiting
    answer: Answer
    verdict: Verdict
    ended_ms: int
    disclosed: Mapping[str, Any] | None = None

    @property
    def next_at_ms(self) -> int | None:
        """When it is due again; None when it has ended."""
        return self.ended_ms + int(self.verdict.delay_s * 1000) if self.verdict.state == "waiting" else None


def planned_document(planned: Planned, sequence: int, now_ms: int) -> Document:
    """A delivery that is due at once."""
    people = {"person": list(planned.people)} if planned.people else {}
    return {
        "_id": planned.id,
        "endpoint": planned.endpoint.id,
        "owner": planned.endpoint.owner,
        "sequence": sequence,
        "event_type": planned.event_type,
        "event_id": planned.event_id,
        "recorded_ms": planned.recorded_ms,
        "state": "waiting",
        "made": 0,
        "next_at_ms": now_ms,
        "planned_at": datetime.fromtimestamp(now_ms / 1000, UTC),
        "attempts": [],
        "body": Binary(planned.body),
        **people,
    }


def waiting_of(document: Mapping[str, Any]) -> Waiting:
    return Waiting(
        id=document["_id"],
        endpoint_id=document["endpoint"],
        sequence=int(document["sequence"]),
        made=int(document["made"]),
        event_type=document["event_type"],
        event_id=document["event_id"],
        recorded_ms=int(document["recorded_ms"]),
        body=bytes(document["body"]),
        people=people_in(document),
        made_before=int(document.get("made_before", 0)),
    )


def people_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The members that a stored delivery tells of; one id stood alone before there could be several."""
    stored = document.get("person")
    return (stored,) if isinstance(stored, str) else tuple(stored or ())


def settlement_write(settled: Settled) -> UpdateOne:
    verdict = settled.verdict
    made = settled.delivery.made + 1
    change: Document = {"state": verdict.state, "made": made}
    if settled.next_at_ms is not None:
        change["next_at_ms"] = settled.next_at_ms
    else:
        change["done_at"] = datetime.fromtimestamp(settled.ended_ms / 1000, UTC)
    answer = settled.answer
    marks = {"$addToSet": {"marks": {"$each": answer.marks()}}} if answer.failure else {}
    return UpdateOne(
        {"_id": settled.delivery.id, "state": "waiting", "made": settled.delivery.made},
        {"$set": change, "$push": {"attempts": _attempt(settled)}, **marks},
    )


def delivered_at_once(settled: Settled) -> bool:
    """Whether the first attempt delivered it: then it can be written down together with others."""
    return settled.delivery.made == 0 and settled.verdict.state == "delivered"


def delivered_write(settled: Sequence[Settled]) -> UpdateMany:
    """Deliveries that were `delivered_at_once`, in one statement: a third of the price of one for each (measured)."""
    ids = [one.delivery.id for one in settled]
    own = {"$indexOfArray": [{"$literal": ids}, "$_id"]}
    attempt = {"$arrayElemAt": [{"$literal": [_attempt(one) for one in settled]}, own]}
    change = {
        "state": "delivered",
        "made": 1,
        "done_at": datetime.fromtimestamp(max(one.ended_ms for one in settled) / 1000, UTC),
        "attempts": {"$concatArrays": ["$attempts", [attempt]]},
    }
    return UpdateMany({"_id": {"$in": ids}, "state": "waiting", "made": 0}, [{"$set": change}], hint="_id_")


def _attempt(settled: Settled) -> Document:
    answer = settled.answer
    return {
        "at_ms": settled.ended_ms - int(answer.duration_ms),
        "status": answer.status,
        "duration_ms": answer.duration_ms,
        "failure": answer.failure,
        **({"said": answer.said} if answer.said else {}),
    }


def failing_write(endpoint_id: str, since_ms: int | None) -> UpdateOne:
    change = {"$set": {"failing_since_ms": since_ms}} if since_ms is not None else {"$unset": {"failing_since_ms": ""}}
    return UpdateOne({"_id": endpoint_id}, change)
