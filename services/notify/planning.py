"""Which event goes to which endpoint, and with which bytes. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from services.notify.chat.telling import Teller
from services.notify.endpoint import Endpoint
from services.notify.globs import any_matches
from services.notify.pairwise import pairwise_body, real_body
from shared.catalogue import CATALOGUE, Event, EventType, Title

_HEARING = ("active", "paused")


@dataclass(frozen=True)
class Planned:
    """One event for one endpoint. `id` is the `webhook-id`; `person` the member it tells of, if of one."""

    id: str
    endpoint: Endpoint = field(repr=False)
    event_type: str
    event_id: str
    person: str | None
    recorded_ms: int
    body: bytes = field(repr=False)


def plan(
    event: Event, recorded_ms: int, endpoints: Sequence[Endpoint], titles: Mapping[str, Title] | None = None
) -> Iterator[Planned]:
    """A delivery for each endpoint that hears the event, recorded at `recorded_ms` (wall clock, Unix milliseconds).

    `titles` are the public ones of publications, by their ids, for the sentences of chats.
    """
    entry = CATALOGUE.by_type(event.envelope.type)
    if entry is None:
        return
    teller = Teller(event, titles or {}, endpoints)
    real: bytes | None = None
    for endpoint in endpoints:
        if not _hears(endpoint, entry, event, recorded_ms):
            continue
        if endpoint.is_chat:
            body = teller.body(endpoint)
        elif endpoint.identifiers == "real":
            body = real = real if real is not None else real_body(event)
        else:
            body = pairwise_body(event, endpoint.pseudonyms)
        yield Planned(
            id=endpoint.pseudonyms.delivery(event.envelope.source, event.envelope.id),
            endpoint=endpoint,
            event_type=event.envelope.type,
            event_id=event.envelope.id,
            person=event.envelope.subject if entry.subject_is_person else None,
            recorded_ms=recorded_ms,
            body=body,
        )


def _hears(endpoint: Endpoint, entry: EventType, event: Event, recorded_ms: int) -> bool:
    return (
        endpoint.state in _HEARING
        and recorded_ms >= endpoint.created_ms
        # An event about an endpoint never goes to that endpoint: it could cause the next one.
        and not (entry.subject == "endpoint" and event.envelope.subject == endpoint.id)
        and any_matches(endpoint.event_types, entry.name)
    )


def unique(planned: Iterable[Planned]) -> Sequence[Planned]:
    """The first of each id, in order: a batch may hold a producer's repeat."""
    return list({one.id: one for one in reversed(list(planned))}.values())[::-1]
