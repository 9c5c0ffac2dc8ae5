"""One event as chats are told of it: a body for each service and language, made when it is asked for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from services.notify.chat.bodies import ChatKind, body_of
from services.notify.chat.sentences import WORDS, Known, Sentence, sentence_of
from services.notify.endpoint import Endpoint
from shared.catalogue import (
    CATALOGUE,
    EndpointDisabled,
    Event,
    GrowthSpikeClosed,
    GrowthSpikeDetected,
    Title,
)


@dataclass
class Teller:
    """`titles` by publication; `endpoints` are all that there are, of which one may be what the event is about."""

    event: Event
    titles: Mapping[str, Title]
    endpoints: Sequence[Endpoint]
    _bodies: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def body(self, endpoint: Endpoint) -> bytes:
        """What is POSTed to this chat."""
        key = (endpoint.kind, endpoint.language)
        if key not in self._bodies:
            sentence = sentence_of(self.event, self._known(), endpoint.language)
            self._bodies[key] = body_of(sentence, cast(ChatKind, endpoint.kind))
        return self._bodies[key]

    def _known(self) -> Known:
        data, subject = self.event.data, self.event.envelope.subject
        if isinstance(data, GrowthSpikeDetected | GrowthSpikeClosed):
            return Known(title=self.titles.get(data.publication_id))
        if isinstance(data, EndpointDisabled):
            return Known(delivery=self._delivery(subject, data.last_event_type, data.last_event_id))
        entry = CATALOGUE.by_type(self.event.envelope.type)
        if entry is not None and entry.subject == "endpoint":
            failed = [getattr(data, name, None) for name in ("event_type", "event_id")]
            return Known(delivery=self._delivery(subject, *failed))
        return Known(title=self.titles.get(subject))

    def _delivery(self, about: str, event_type: str | None, event_id: str | None) -> str | None:
        """The `webhook-id` under which the log has it: unlike the event's own id it tells no stranger anything."""
        entry = CATALOGUE.by_type(event_type) if event_type else None
        failed = next((one for one in self.endpoints if one.id == about), None)
        if entry is None or failed is None or event_id is None:
            return None
        return failed.pseudonyms.delivery(f"/kairan/{entry.publisher}", event_id)


def test_body(endpoint: Endpoint) -> bytes:
    """What its owner sends to a chat to try it."""
    words = WORDS[endpoint.language]
    return body_of(Sentence(words.test_heading, words.test, "info"), cast(ChatKind, endpoint.kind))
