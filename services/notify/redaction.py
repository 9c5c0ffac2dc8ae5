"""What a delivery still tells of a member who was erased: that something happened, as its schema asks. Pure."""

from collections.abc import Collection
from typing import Any, Final

import orjson

from shared.catalogue import CATALOGUE, EventType, person_id_fields

NOBODY: Final = "erased"
"""Stands where a person's id is required."""


def redacted(body: bytes, ids: Collection[str]) -> bytes:
    """The body without what it tells of a person, named by `ids`: the id on the bus and the receiver's stand-in.

    Where the person is the subject, all that may be empty is emptied; subject, type, id and times stay, so that the
    receiver can tell whom `member-erased` is about. Elsewhere the person's id goes and the rest, which is about
    others, stays. The attribute `redacted` says why. A chat's sentence names nobody and stays.
    """
    message = orjson.loads(body)
    entry = CATALOGUE.by_type(message.get("type", ""))
    if entry is None:
        return body
    data = message.get("data")
    if isinstance(data, dict):
        about = entry.subject_is_person and message["subject"] in ids
        message["data"] = _without(data, entry, ids) | (_emptied(data, entry) if about else {})
    message["redacted"] = "member-erased"
    return orjson.dumps(message)


def _emptied(data: dict[str, Any], entry: EventType) -> dict[str, Any]:
    """What is not required becomes null, or an empty list; closed codes and times that the schema needs stay."""
    optional = {name: field.default for name, field in entry.model.model_fields.items() if not field.is_required()}
    return {name: [] if default == () else None for name, default in optional.items() if default in (None, ())}


def _without(data: dict[str, Any], entry: EventType, ids: Collection[str]) -> dict[str, Any]:
    return data | {name: _nobody(data.get(name), entry, name, ids) for name in person_id_fields(entry)}


def _nobody(value: Any, entry: EventType, name: str, ids: Collection[str]) -> Any:
    if isinstance(value, list):
        return [one for one in value if one not in ids]
    if value not in ids:
        return value
    return NOBODY if entry.model.model_fields[name].is_required() else None
