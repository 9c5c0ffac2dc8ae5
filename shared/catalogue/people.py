"""Which fields of an event are ids of people or of other events, so that a receiver's ids can be made its own."""

from functools import cache

from shared.catalogue.envelope import Event
from shared.catalogue.event_type import EventType
from shared.catalogue.registry import CATALOGUE


@cache
def person_id_fields(entry: EventType) -> tuple[str, ...]:
    """The data fields that hold a person's id. The subject is one too where `subject_is_person`."""
    return _fields_with(entry, "x-class", "person_id")


def people_of(event: Event) -> tuple[str, ...]:
    """The ids of all people that an event tells of: in its subject and in its data."""
    entry = CATALOGUE.by_type(event.envelope.type)
    if entry is None:
        return ()
    found = [event.envelope.subject] if entry.subject_is_person else []
    for name in person_id_fields(entry) if event.data is not None else ():
        value = getattr(event.data, name)
        found += [value] if isinstance(value, str) else list(value or ())
    return tuple(dict.fromkeys(found))


@cache
def event_id_fields(entry: EventType) -> tuple[str, ...]:
    """The data fields that hold the id of another event."""
    return _fields_with(entry, "x-id-of", "event")


def _fields_with(entry: EventType, key: str, value: str) -> tuple[str, ...]:
    found = []
    for name, field in entry.model.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get(key) == value:
            found.append(name)
    return tuple(found)
