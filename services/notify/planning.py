"""Which event goes to which endpoint, and with which bytes. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.notify.chat.telling import Teller
from services.notify.endpoint import Endpoint
from services.notify.globs import any_matches
from services.notify.listing import Listing
from services.notify.pairwise import pairwise_message, real_message
from shared.catalogue import CATALOGUE, Event, EventType, MemberErased, Title, people_of

_HEARING = ("active", "paused")


@dataclass(frozen=True)
class Planned:
    """One event for one endpoint. `id` is the `webhook-id`; `people` are the members it tells of, by their real ids.

    `key` is the event's subject if the endpoint is ordered; a person's is the endpoint's own for that person. From
    `expires_ms` on it is not worth sending. `told_id` is the endpoint's own id for the event, unless it is told the
    bus's `event_id`.
    """

    id: str
    endpoint: Endpoint = field(repr=False)
    event_type: str
    event_id: str
    people: tuple[str, ...]
    recorded_ms: int
    body: bytes = field(repr=False)
    key: str | None = None
    expires_ms: int | None = None
    told_id: str | None = None


@dataclass
class Told:
    """One event as endpoints are told of it: the same for all with real ids, each one's own for the others."""

    event: Event
    _real: dict[str, Any] | None = None
    _real_body: bytes | None = None

    def message(self, endpoint: Endpoint) -> Mapping[str, Any]:
        """The structured event, as the endpoint's filter may see it."""
        if self._real is None:
            self._real = real_message(self.event)
        if endpoint.identifiers != "real":
            return pairwise_message(self.event, endpoint.pseudonyms, self._real)
        return self._real

    def body(self, endpoint: Endpoint) -> bytes | None:
        """What is sent; None when the endpoint's filter does not hold."""
        message = self.message(endpoint)
        if not _holds(endpoint, message):
            return None
        if endpoint.identifiers != "real":
            return orjson.dumps(message)
        if self._real_body is None:
            self._real_body = orjson.dumps(message)
        return self._real_body


def _holds(endpoint: Endpoint, message: Mapping[str, Any]) -> bool:
    return endpoint.condition is None or endpoint.condition.holds(message)


def plan(
    event: Event, recorded_ms: int, listing: Listing, titles: Mapping[str, Title] | None = None
) -> Iterator[Planned]:
    """A delivery for each endpoint that hears the event, recorded at `recorded_ms` (wall clock, Unix milliseconds).

    `titles` are the public ones of publications, by their ids, for the sentences of chats.
    """
    entry = CATALOGUE.by_type(event.envelope.type)
    if entry is None:
        return
    # Once erased, an id means nobody; that somebody was erased stays to be heard as it is.
    people = () if isinstance(event.data, MemberErased) else people_of(event)
    told, teller = Told(event), Teller(event, titles or {}, listing.endpoints)
    for endpoint in listing.hearing(entry.name):
        if not _hears(endpoint, entry, event, recorded_ms):
            continue
        body = told.body(endpoint) if not endpoint.is_chat else _sentence(told, teller, endpoint)
        if body is None:
            continue
        yield Planned(
            id=endpoint.pseudonyms.delivery(event.envelope.source, event.envelope.id),
            endpoint=endpoint,
            event_type=event.envelope.type,
            event_id=event.envelope.id,
            people=people,
            recorded_ms=recorded_ms,
            body=body,
            key=_subject(event, entry, endpoint) if endpoint.ordered else None,
            expires_ms=_expires_ms(entry.name, recorded_ms, endpoint),
            told_id=None if endpoint.identifiers == "real" else endpoint.pseudonyms.event(event.envelope.id),
        )


def _subject(event: Event, entry: EventType, endpoint: Endpoint) -> str:
    """What a key is kept by: never a person's real id, which would outlast an erase."""
    subject = event.envelope.subject
    return endpoint.pseudonyms.person(subject) if entry.subject_is_person else subject


def _expires_ms(name: str, recorded_ms: int, endpoint: Endpoint) -> int | None:
    """When the shortest of the ages that fit the event's name is reached; None when none does."""
    ages_s = [age_s for pattern, age_s in endpoint.expires_after_s.items() if any_matches((pattern,), name)]
    return recorded_ms + int(min(ages_s) * 1000) if ages_s else None


def _sentence(told: Told, teller: Teller, endpoint: Endpoint) -> bytes | None:
    """What a chat is sent; its filter, too, is asked about the event."""
    return teller.body(endpoint) if _holds(endpoint, told.message(endpoint)) else None


def _hears(endpoint: Endpoint, entry: EventType, event: Event, recorded_ms: int) -> bool:
    return endpoint.state in _HEARING and recorded_ms >= endpoint.created_ms and not is_about(endpoint, entry, event)


def is_about(endpoint: Endpoint, entry: EventType, event: Event) -> bool:
    """An event about an endpoint never goes to that endpoint: it could cause the next one."""
    return entry.subject == "endpoint" and event.envelope.subject == endpoint.id


def unique(planned: Iterable[Planned]) -> Sequence[Planned]:
    """The first of each id, in order: a batch may hold a producer's repeat."""
    return list({one.id: one for one in reversed(list(planned))}.values())[::-1]
