"""Ids of its own for each endpoint, so that two receivers cannot join what they were told about a person. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from services.notify.keyed import keyed
from shared.catalogue import CATALOGUE, Event, EventType, event_id_fields, person_id_fields, structured

KEY_BYTES = 32
_STAND_IN = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EVENT_ATTRIBUTES = ("id", "correlationid", "causationid")


@dataclass(frozen=True, repr=False)
class Pseudonyms:
    """Stand-ins under one endpoint's random key: the same id always has the same stand-in, for this endpoint alone."""

    key: bytes

    def person(self, member_id: str) -> str:
        """The stand-in of a person's id, in the shape of a UUID (version 8)."""
        return self._uuid("person", member_id)

    def event(self, event_id: str) -> str:
        """The stand-in of an event's or command's id, so that a cause can still be found among what was received."""
        return self._uuid("event", event_id)

    def delivery(self, source: str, event_id: str) -> str:
        """The `webhook-id`: one event has one for this endpoint, over every repeat."""
        return "msg_" + self._mac("delivery", f"{source}\n{event_id}")[:16].hex()

    def _uuid(self, kind: str, value: str) -> str:
        mac = bytearray(self._mac(kind, value)[:16])
        mac[6] = mac[6] & 0x0F | 0x80
        mac[8] = mac[8] & 0x3F | 0x80
        return _as_uuid(mac.hex())

    def _mac(self, kind: str, value: str) -> bytes:
        return keyed(self.key).mac(f"{kind}\n{value}".encode())


def is_stand_in(identity: str) -> bool:
    """Whether an id looks like a stand-in; on the bus no id does (versions 4 and 5)."""
    return _STAND_IN.fullmatch(identity) is not None


def _as_uuid(text: str) -> str:
    """As `str(uuid.UUID(hex=text))` writes it, without making one."""
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def real_message(event: Event) -> dict[str, Any]:
    """The structured CloudEvent as it is on the bus: for endpoints that an operator trusts with real ids."""
    return structured(event)


def pairwise_message(event: Event, pseudonyms: Pseudonyms, real: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The structured CloudEvent with every person's id and every event's id replaced, and no trace context.

    `real` is the event's `real_message`, where there is one already; it stays as it is.
    """
    message = dict(real_message(event) if real is None else real)
    message.pop("traceparent", None)
    for name in _EVENT_ATTRIBUTES:
        if name in message:
            message[name] = pseudonyms.event(message[name])
    entry = CATALOGUE.by_type(event.envelope.type)
    if entry is not None:
        _replace_in_data(message, entry, pseudonyms)
    return message


def _replace_in_data(message: dict[str, Any], entry: EventType, pseudonyms: Pseudonyms) -> None:
    if entry.subject_is_person:
        message["subject"] = pseudonyms.person(message["subject"])
    people, events = person_id_fields(entry), event_id_fields(entry)
    if message.get("data") is None or not (people or events):
        return
    data = message["data"] = dict(message["data"])
    for name in people:
        data[name] = _each(data[name], pseudonyms.person)
    for name in events:
        data[name] = _each(data[name], pseudonyms.event)


def _each(value: Any, replace: Callable[[str], str]) -> Any:
    if value is None:
        return None
    return [replace(one) for one in value] if isinstance(value, list) else replace(value)
