"""Whatever the catalogue allows comes back from the bus as it was sent."""

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.catalogue import CATALOGUE, Event, EventType, decode, encode, encode_all, structured
from shared.catalogue.schemas import json_schema
from tests.contract.catalogue.event_strategies import events

newest = [CATALOGUE.by_name(name) for name in CATALOGUE.names()]
each_type = pytest.mark.parametrize("entry", newest, ids=lambda entry: entry.name)


@each_type
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_sent_is_what_is_read(entry: EventType, data: st.DataObject) -> None:
    event = data.draw(events(entry))
    record = encode(event)
    read = decode(record.topic, record.key, record.value, record.headers, wanted=frozenset({entry.name}))
    assert isinstance(read, Event)
    assert read.envelope == event.envelope
    assert read.data == event.data
    assert encode(read) == record
    assert encode_all(event)[0].value == record.value
    assert record.key == event.envelope.subject.encode()


@each_type
@settings(max_examples=30)
@given(data=st.data())
def test_what_is_sent_keeps_the_published_schema(entry: EventType, data: st.DataObject) -> None:
    event = data.draw(events(entry))
    value = encode(event).value
    judge = jsonschema_rs.validator_for(json_schema(entry))
    if value is not None:
        judge.validate(orjson.loads(value))
        judge.validate(structured(event)["data"])
