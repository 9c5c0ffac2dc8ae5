"""What an endpoint would have been told of some events, and why not of the others. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from services.notify.endpoint import Endpoint
from services.notify.globs import any_matches
from services.notify.planning import Told, is_about
from shared.catalogue import CATALOGUE, Event

WhyNot = Literal["event_types", "filter", "itself"]


@dataclass(frozen=True)
class Tried:
    """One event, as the endpoint would see it. `place` is the part of the filter that decided, when `filter` did."""

    message: Mapping[str, Any] = field(repr=False)
    why_not: WhyNot | None
    place: str | None = None


def tried(events: Iterable[Event], endpoint: Endpoint) -> list[Tried]:
    """Whether the endpoint would hear each event now, whatever its state and however old the event."""
    return [_one(event, endpoint) for event in events]


def _one(event: Event, endpoint: Endpoint) -> Tried:
    entry = CATALOGUE.by_type(event.envelope.type)
    message = Told(event).message(endpoint)
    if entry is None or not any_matches(endpoint.event_types, entry.name):
        return Tried(message, "event_types")
    if is_about(endpoint, entry, event):
        return Tried(message, "itself")
    condition = endpoint.condition
    if condition is None or condition.holds(message):
        return Tried(message, None)
    return Tried(message, "filter", condition.why_not(message))
