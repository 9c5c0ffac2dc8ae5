"""The PyPI package `cloudevents` reads our records and our structured form, and finds in both what we put there."""

from datetime import datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from cloudevents.core.formats.json import JSONFormat

from shared.catalogue import CATALOGUE, Event, encode, structured
from shared.catalogue.headers import write_time
from tests.contract.catalogue.golden_events import EXPECTED

each_event = pytest.mark.parametrize("event", EXPECTED.values(), ids=EXPECTED)


def attributes(event: Event) -> dict[str, Any]:
    """What an independent reader must find, from the envelope."""
    envelope = event.envelope
    entry = CATALOGUE.by_type(envelope.type)
    assert entry is not None
    expected = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": envelope.time,
        "dataschema": entry.dataschema,
        "datacontenttype": "application/json" if event.data is not None else None,
        "recordedtime": write_time(envelope.recorded_time),
        "aggregateversion": str(envelope.aggregate_version),
        "correlationid": envelope.correlation_id,
        "causationid": envelope.causation_id,
    }
    return {name: value for name, value in expected.items() if value is not None}


def as_text(found: dict[str, Any]) -> dict[str, Any]:
    """CloudEvents integers are text in headers and numbers in JSON."""
    return {name: value if isinstance(value, datetime) else str(value) for name, value in found.items()}


@each_event
def test_it_reads_our_records(event: Event) -> None:
    record = encode(event)
    message = KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value or b"")
    judged = from_binary_event(message)
    found = dict(judged.get_attributes())
    assert found.pop("partitionkey") == event.envelope.subject
    assert found == attributes(event)
    assert judged.get_data() == (orjson.loads(record.value) if record.value is not None else None)


@each_event
def test_it_reads_our_structured_form(event: Event) -> None:
    judged = JSONFormat().read(None, orjson.dumps(structured(event)))
    found = dict(judged.get_attributes())
    assert found.pop("traceparent", None) == event.envelope.traceparent
    assert as_text(found) == attributes(event)
    assert type(found["aggregateversion"]) is int
    assert judged.get_data() == (event.data.model_dump(mode="json") if event.data is not None else None)


@each_event
def test_the_two_forms_carry_the_same_data(event: Event) -> None:
    value = encode(event).value
    assert structured(event).get("data") == (orjson.loads(value) if value is not None else None)
