"""A delivery as it is stored, read and written down again: the documents of `deliveries` and `lanes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.notify.breaker import Health
from services.notify.health import health_of
from services.notify.outcome import Answer, Verdict
from services.notify.planning import Planned
from shared.clock import moment_of
from shared.store.mongo import Binary, Document, UpdateMany, UpdateOne

UNTRIED: Final = 0
MOST_ATTEMPTS: Final = 200
"""Of one delivery, the last in the log: with 16 KiB of answer each (48 KiB as text), they fit into a document."""


@dataclass(frozen=True)
class Waiting:
    """A delivery that is due: `made` attempts were made before this one, `made_before` of them before a
    replay.

    `key` is its ordering key, None where order does not count; `next_at_ms` is 0 while it was never tried and counts.
    From `expires_ms` on it is not sent any more.
    """

    id: str
    endpoint_id: str
    sequence: int
    made: int
    event_type: str
    event_id: str
    recorded_ms: int
    body: bytes = field(repr=False)
    key: str | None = None
    next_at_ms: int = 0
    expires_ms: int | None = None
    made_before: int = 0
    people: tuple[str, ...] = field(default=(), repr=False)

    def expired(self, now_ms: int) -> bool:
        return self.expires_ms is not None and self.expires_ms <= now_ms


@dataclass(frozen=True)
class LaneState:
    """What is kept per endpoint beside its settings: the document of `lanes`.

    `keyed` says that it has had ordered deliveries; `rung` is counted up when somebody else than its lane has changed
    deliveries.
    """

    endpoint_id: str
    sequence: int
    health: Health
    keyed: bool
    rung: int


@dataclass(frozen=True)
class Settled:
    """One attempt's end, or that none was made any more (no answer), as it is to be written down. Times in wall ms.

    `disclosed` says to whom and why people's real ids were given; None where the endpoint has ids of its own.
    """

    delivery: Waiting
    answer: Answer | None
    verdict: Verdict
    ended_ms: int
    disclosed: Mapping[str, Any] | None = None

    @property
    def next_at_ms(self) -> int | None:
        """When it is due again, at the latest when it expires; None when it has ended."""
        if self.verdict.state != "waiting":
            return None
        again_ms = self.ended_ms + int(self.verdict.delay_s * 1000)
        return again_ms if self.delivery.expires_ms is None else min(again_ms, self.delivery.expires_ms)

    @property
    def made(self) -> int:
        """Attempts so far."""
        return self.delivery.made + (self.answer is not None)

    @property
    def holds(self) -> bool:
        """Whether the deliveries behind it, of the same key, must wait: for its retry, or for its owner's word."""
        return self.delivery.key is not None and self.verdict.state in ("waiting", "exhausted")


def planned_document(planned: Planned, sequence: int, now_ms: int) -> Document:
    """A delivery that is due at once."""
    people = {"person": list(planned.people)} if planned.people else {}
    key = {"key": planned.key} if planned.key is not None else {}
    expires = {"expires_ms": planned.expires_ms} if planned.expires_ms is not None else {}
    told = {"told_id": planned.told_id} if planned.told_id is not None else {}
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
        # Where order counts, the sequence says who is first, no host's clock.
        "next_at_ms": now_ms if planned.key is None else UNTRIED,
        "planned_at": moment_of(now_ms),
        "attempts": [],
        "body": Binary(planned.body),
        **people,
        **key,
        **expires,
        **told,
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
        key=document.get("key"),
        next_at_ms=int(document.get("next_at_ms", UNTRIED)),
        expires_ms=document.get("expires_ms"),
        people=people_in(document),
        made_before=int(document.get("made_before", 0)),
    )


def lane_of(document: Mapping[str, Any]) -> LaneState:
    return LaneState(
        endpoint_id=document["_id"],
        sequence=int(document["sequence"]),
        health=health_of(document),
        keyed=bool(document.get("keyed")),
        rung=int(document.get("rung", 0)),
    )


def people_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The members that a stored delivery tells of; one id stood alone before there could be several."""
    stored = document.get("person")
    return (stored,) if isinstance(stored, str) else tuple(stored or ())


def settlement_write(settled: Settled) -> UpdateOne:
    change: Document = {"state": settled.verdict.state, "made": settled.made}
    if settled.next_at_ms is not None:
        change["next_at_ms"] = settled.next_at_ms
    else:
        change["done_at"] = moment_of(settled.ended_ms)
    if settled.holds:
        change["holds"] = True
    return UpdateOne(
        {"_id": settled.delivery.id, "state": "waiting", "made": settled.delivery.made},
        {"$set": change, **_attempted(settled), **_no_longer(settled)},
    )


def delivered_at_once(settled: Settled) -> bool:
    """Whether the first attempt delivered it: then it can be written down together with others."""
    return settled.delivery.made == 0 and settled.verdict.state == "delivered"


def delivered_write(settled: Sequence[Settled]) -> UpdateMany:
    """Deliveries that were `delivered_at_once`, in one statement: a third of the price of one for each (measured)."""
    ids = [one.delivery.id for one in settled]
    own = {"$indexOfArray": [{"$literal": ids}, "$_id"]}
    attempts = [_attempt(one, one.answer) for one in settled if one.answer is not None]
    attempt = {"$arrayElemAt": [{"$literal": attempts}, own]}
    change = {
        "state": "delivered",
        "made": 1,
        "done_at": moment_of(max(one.ended_ms for one in settled)),
        "attempts": {"$concatArrays": ["$attempts", [attempt]]},
    }
    stages: list[Document] = [{"$set": change}]
    if any(one.delivery.key is not None for one in settled):
        stages.append({"$unset": ["behind"]})
    return UpdateMany({"_id": {"$in": ids}, "state": "waiting", "made": 0}, stages, hint="_id_")


def _attempt(settled: Settled, answer: Answer) -> Document:
    return {
        "at_ms": settled.ended_ms - int(answer.duration_ms),
        "status": answer.status,
        "duration_ms": answer.duration_ms,
        "failure": answer.failure,
        **({"said": answer.said} if answer.said else {}),
    }


def _attempted(settled: Settled) -> Document:
    """What the log keeps of the attempt, if one was made."""
    answer = settled.answer
    if answer is None:
        return {}
    marks = {"$addToSet": {"marks": {"$each": answer.marks()}}} if answer.failure else {}
    last = {"$each": [_attempt(settled, answer)], "$slice": -MOST_ATTEMPTS}
    return {"$push": {"attempts": last}, **marks}


def _no_longer(settled: Settled) -> Document:
    """Marks of an ordered one that do not hold any more."""
    if settled.delivery.key is None:
        return {}
    return {"$unset": {"behind": ""} if settled.holds else {"behind": "", "holds": ""}}
