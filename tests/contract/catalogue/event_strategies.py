"""Any event that the catalogue allows, made from the published JSON Schemas (not from the models that are judged)."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from shared.catalogue import Envelope, Event, EventType
from shared.catalogue.schemas import JsonSchema, json_schema

ids = st.from_regex(r"[A-Za-z0-9_.-]{1,128}", fullmatch=True)
times = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def json_values(part: JsonSchema, root: JsonSchema) -> st.SearchStrategy[Any]:
    """Any JSON value that a schema allows; of the keywords, those that our schemas use."""
    if "$ref" in part:
        return json_values(root["$defs"][part["$ref"].rpartition("/")[2]], root)
    if "anyOf" in part:
        return st.one_of([json_values(choice, root) for choice in part["anyOf"]])
    if "enum" in part or "const" in part:
        return st.sampled_from(part.get("enum") or [part["const"]])
    if part["type"] == "object":
        fields = {name: json_values(field, root) for name, field in part.get("properties", {}).items()}
        required = {name: fields[name] for name in part.get("required", ())}
        return st.fixed_dictionaries(
            required, optional={name: field for name, field in fields.items() if name not in required}
        )
    if part["type"] == "array":
        return st.lists(json_values(part["items"], root), max_size=5)
    return _scalar(part)


def _scalar(part: JsonSchema) -> st.SearchStrategy[Any]:
    if part["type"] == "null":
        return st.none()
    if part["type"] == "integer":
        return st.integers(part.get("minimum"), part.get("maximum", 2**53))
    if part["type"] == "number":
        return st.floats(allow_nan=False, allow_infinity=False)
    if part.get("format") == "date-time":
        return times.map(lambda time: time.isoformat().replace("+00:00", "Z"))
    if "pattern" in part:
        return ids
    letters = st.characters(codec="utf-8")
    return st.text(letters, min_size=part.get("minLength", 0), max_size=part.get("maxLength"))


@st.composite
def events(draw: st.DrawFn, entry: EventType) -> Event:
    """Any event of a type, tombstones included where it has them."""
    schema = json_schema(entry)
    value = draw(json_values(schema, schema))
    tombstone = entry.tombstones and draw(st.booleans())
    envelope = Envelope(
        id=draw(ids),
        source=f"/kairan/{entry.publisher}",
        type=entry.type,
        subject=draw(ids),
        time=draw(times),
        recorded_time=draw(times),
        aggregate_version=draw(st.integers(1, 10**12)),
        correlation_id=draw(st.none() | ids),
        causation_id=draw(st.none() | ids),
        traceparent=draw(st.none() | st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", fullmatch=True)),
    )
    return Event(envelope, None if tombstone else entry.model.model_validate(value))
