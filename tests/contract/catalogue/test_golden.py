"""The golden messages: what was written once is read for ever, and is still what is written today."""

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.catalogue import CATALOGUE, Event, Record, decode, encode
from tests.contract.catalogue.golden_events import EXPECTED, FOLDER, UPCAST


def golden(name: str) -> Record:
    message: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    value = message["value"].encode() if message["value"] is not None else None
    headers = [(header, text.encode()) for header, text in message["headers"].items()]
    return Record(message["topic"], message["key"].encode(), value, headers)


def test_every_type_and_version_has_a_golden_message_and_none_is_lost() -> None:
    on_disk = {path.stem for path in FOLDER.glob("*.json")}
    assert on_disk == set(EXPECTED)
    assert {f"{entry.name}.v{entry.version}" for entry in CATALOGUE.types} <= on_disk


@pytest.mark.parametrize("name", EXPECTED)
def test_a_golden_message_still_means_what_it_meant(name: str) -> None:
    record = golden(name)
    event = decode(record.topic, record.key, record.value, record.headers, wanted=None)
    assert isinstance(event, Event)
    meant = UPCAST.get(name, EXPECTED[name])
    assert event.envelope == meant.envelope
    assert event.data == meant.data


@pytest.mark.parametrize("name", EXPECTED)
def test_the_same_event_is_written_as_the_same_bytes(name: str) -> None:
    assert encode(EXPECTED[name]) == _with_later_fields(golden(name), EXPECTED[name])


def _with_later_fields(record: Record, event: Event) -> Record:
    """The record with what the model got since: optional fields, written as null, behind the others."""
    if record.value is None or event.data is None:
        return record
    value = json.loads(record.value)
    later = [field for field in type(event.data).model_fields if field not in value]
    if not later:
        return record
    text = json.dumps(value | dict.fromkeys(later), ensure_ascii=False, separators=(",", ":"))
    return replace(record, value=text.encode())


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.endswith("tombstone")])
def test_a_reader_ignores_fields_and_headers_that_it_does_not_know(name: str) -> None:
    record = golden(name)
    assert record.value is not None
    value = json.dumps({"from_the_future": {"x": [1]}, **json.loads(record.value)}).encode()
    headers = [*record.headers, ("ce_fromthefuture", "未来".encode()), ("x-proxy", b"\xff")]
    event = decode(record.topic, record.key, value, headers, wanted=None)
    assert isinstance(event, Event)
    assert event == UPCAST.get(name, EXPECTED[name])
