"""An endpoint's health in the document of its lane, where it outlasts the process that found it out."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.notify.breaker import Failing, Health, Opened
from shared.store.mongo import Document, UpdateOne

_FIELDS = ("failing_since_ms", "failing_with", "breaker")


def health_of(document: Mapping[str, Any]) -> Health:
    since_ms, event, opened = (document.get(name) for name in _FIELDS)
    event = event or {}
    return Health(
        failing=None if since_ms is None else Failing(int(since_ms), event.get("type"), event.get("id")),
        opened=Opened(**opened) if opened else None,
    )


def health_write(endpoint_id: str, health: Health) -> UpdateOne:
    found: Document = {}
    if health.failing is not None:
        failing = health.failing
        found["failing_since_ms"] = failing.since_ms
        found["failing_with"] = {"type": failing.event_type, "id": failing.event_id}
    if health.opened is not None:
        found["breaker"] = asdict(health.opened)
    gone = {name: "" for name in _FIELDS if name not in found}
    change = ({"$set": found} if found else {}) | ({"$unset": gone} if gone else {})
    return UpdateOne({"_id": endpoint_id}, change)


WELL: Document = {"$unset": dict.fromkeys(_FIELDS, "")}
"""Makes a lane forget its failures."""
