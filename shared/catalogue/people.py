"""Which fields of an event are ids of people or of other events, so that a receiver's ids can be made its own."""

from functools import cache

from shared.catalogue.event_type import EventType


@cache
def person_id_fields(entry: EventType) -> tuple[str, ...]:
    """The data fields that hold a person's id. The subject is one too where `subject_is_person`."""
    return _fields_with(entry, "x-class", "person_id")


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
