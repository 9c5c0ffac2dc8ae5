"""Deliveries as lines of text; what comes from receivers is made harmless for a terminal."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kairan.cli.printable import printable

Row = Mapping[str, Any]


def line(one: Row) -> str:
    """One delivery: when it was planned, its id, number, state, event, and how its last attempt ended."""
    last = one["attempts"][-1] if one["attempts"] else None
    ended = f"  {_outcome(last)}" if last else ""
    state = f"{one['state']:<9}"
    return f"{one['planned_at']}  {one['id']}  {one['sequence']:>6}  {state} {one['event_type']}{ended}"


def whole(one: Row) -> Iterator[str]:
    """One delivery with its attempts and what was answered; the payload last."""
    for name in ("id", "endpoint_id", "sequence", "state", "event_type", "event_id", "planned_at", "next_attempt_at"):
        if one[name] is not None:
            yield f"{name:<16}{one[name]}"
    for n, attempt in enumerate(one["attempts"], 1):
        yield f"attempt {n:<8}{attempt['at']}  {_outcome(attempt)}  {attempt['duration_ms']} ms"
        for said in (attempt["answer"] or "").splitlines():
            yield f"{'':<16}| {printable(said)}"
    yield f"{'payload':<16}{_payload(one)}"


def pulled(one: Row) -> str:
    """One event that was pulled."""
    return f"{one['sequence']:>6}  {one['webhook-id']}  {one['state']:<9} {one['event_type']}  {_payload(one)}"


def preview(seen: Row) -> Iterator[str]:
    """What a replay comes to."""
    yield f"{seen['count']} deliveries would be sent again"
    if seen["count"] and seen["first"] is not None:
        yield f"numbers {seen['first']} to {seen['last']}"
    if seen["oldest"]:
        yield f"from {seen['oldest']} to {seen['newest']}"
    if seen["payload_gone"]:
        yield f"{seen['payload_gone']} more have no payload any longer; --history-from brings them back from the log"
    for one in seen["examples"]:
        number = "new" if one["sequence"] is None else one["sequence"]
        yield f"  {one['at']}  {one['id']}  {number:>6}  {one['state'] or '':<9} {one['event_type']}"


def _outcome(attempt: Row) -> str:
    return " ".join(str(word) for word in (attempt["status"], attempt["error"]) if word is not None)


def _payload(one: Row) -> str:
    if one["payload_missing"]:
        return {"gone": "(no longer kept)", "withheld": "(its owner's alone)"}[one["payload_missing"]]
    return printable(json.dumps(one["payload"], ensure_ascii=False))
