"""A record that cannot be read says why, in a code and in words, and never shows what was in it."""

import pickle
from dataclasses import replace

import pytest

from shared.catalogue import (
    MAX_VALUE_BYTES,
    BadHeader,
    NotJson,
    Poison,
    Record,
    Skip,
    TooLarge,
    UnknownVersion,
    WrongSchema,
    decode,
    encode,
)
from tests.contract.catalogue.golden_events import EXPECTED

JOINED = encode(EXPECTED["member-joined.v1"])


def with_header(name: str, value: bytes | None) -> Record:
    others = [(header, text) for header, text in JOINED.headers if header != name]
    return replace(JOINED, headers=others if value is None else [*others, (name, value)])


def with_value(value: bytes | None) -> Record:
    return replace(JOINED, value=value)


def poison(record: Record) -> Poison:
    with pytest.raises(Poison) as caught:
        decode(record.topic, record.key, record.value, record.headers, wanted=frozenset({"member-joined"}))
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"source":"other"}x',
        b'{"source":' + b"[" * 300 + b"]" * 300 + b"}",
        "{}".encode("utf-16"),
    ],
    ids=["empty", "cut off", "not UTF-8", "more than one value", "300 levels deep", "UTF-16"],
)
def test_what_cannot_be_parsed_is_not_json(value: bytes) -> None:
    assert type(poison(with_value(value))) is NotJson


@pytest.mark.parametrize(
    "value",
    [b"[]", b"null", b"{}", b'{"source":"a friend"}', b'{"source":7}', b'{"source":"other","source_ref":"a b"}', None],
    ids=["a list", "null", "a field is missing", "not one of the values", "another kind", "no id", "no value"],
)
def test_what_the_type_does_not_promise_is_the_wrong_schema(value: bytes | None) -> None:
    assert type(poison(with_value(value))) is WrongSchema


def test_json_numbers_in_quotes_are_the_wrong_schema() -> None:
    held = encode(EXPECTED["session-held.v1"])
    assert held.value is not None
    value = held.value.replace(b'"attendees":204', b'"attendees":"204"')
    with pytest.raises(WrongSchema, match="attendees"):
        decode(held.topic, held.key, value, held.headers, wanted=None)


@pytest.mark.parametrize("name", ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"])
@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe"], ids=["missing", "empty", "not UTF-8"])
def test_a_required_attribute_must_be_there_as_text(name: str, value: bytes | None) -> None:
    error = poison(with_header(name, value))
    assert type(error) is BadHeader
    assert name in error.detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b"1"),
        ("ce_id", b"a\r\nb"),
        ("ce_id", "名".encode()),
        ("ce_subject", b"x" * 257),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2022-03-31"),
        ("ce_time", b"2022-03-31T09:15:00"),
        ("ce_time", b"20220331T091500Z"),
        ("ce_time", b"2022-02-30T09:15:00Z"),
        ("ce_time", b"0001-01-01T00:00:00+14:00"),
        ("ce_recordedtime", b"1648718100"),
        ("ce_recordedtime", None),
        ("ce_aggregateversion", None),
        ("ce_aggregateversion", b"0"),
        ("ce_aggregateversion", b"-1"),
        ("ce_aggregateversion", b"1.0"),
        ("ce_aggregateversion", b"9" * 40),
        ("ce_aggregateversion", "²".encode()),
        ("ce_correlationid", b""),
        ("ce_causationid", b"\x00"),
        ("ce_alsoversions", b"1;2"),
        ("ce_fromthefuture", b"\xff"),
        ("content-type", b"application/cloudevents+json"),
        ("content-type", b"text/plain"),
    ],
)
def test_an_attribute_must_be_what_the_specification_says(name: str, value: bytes | None) -> None:
    error = poison(with_header(name, value))
    assert type(error) is BadHeader
    assert name in error.detail


def test_an_attribute_that_stands_twice_is_refused() -> None:
    assert type(poison(replace(JOINED, headers=[*JOINED.headers, ("ce_id", b"another")]))) is BadHeader


def test_a_broken_trace_costs_only_the_trace() -> None:
    record = with_header("traceparent", b"00-nonsense")
    event = decode(record.topic, record.key, record.value, record.headers, wanted=None)
    assert not isinstance(event, Skip)
    assert event.envelope.traceparent is None


def test_other_headers_may_hold_anything() -> None:
    record = replace(JOINED, headers=[*JOINED.headers, ("proxy", b"\xff"), ("proxy", b"\x00")])
    assert decode(record.topic, record.key, record.value, record.headers, wanted=None) == EXPECTED["member-joined.v1"]


def test_a_value_above_the_limit_is_too_large_whatever_it_is() -> None:
    assert type(poison(with_value(b" " * (MAX_VALUE_BYTES + 1)))) is TooLarge
    assert type(poison(with_value(b" " * MAX_VALUE_BYTES))) is NotJson


def test_a_wanted_event_in_a_version_that_nobody_knows() -> None:
    error = poison(with_header("ce_type", b"kairan.member-joined.v9"))
    assert type(error) is UnknownVersion
    assert error.detail == "member-joined version 9; known: 1"


@pytest.mark.parametrize(
    "value", [b'{"source":"canary-4711"}', b'{"source":"other","reason":"canary-4711"}', b"canary-4711"]
)
def test_no_error_shows_what_was_in_the_record(value: bytes) -> None:
    error = poison(with_value(value))
    assert "canary-4711" not in f"{error!r} {error} {error.detail} {error.__cause__!r}"
    assert error.__suppress_context__


def test_the_reason_is_a_short_code_and_survives_a_copy() -> None:
    error = poison(with_value(b"{"))
    assert error.reason == "not_json"
    assert str(error).startswith("not_json: ")
    assert pickle.loads(pickle.dumps(error)).detail == error.detail
