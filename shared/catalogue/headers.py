"""The envelope as Kafka headers (CloudEvents 1.0, Kafka binding, binary mode), written and read.

Every header of ours is `ce_` + attribute; `content-type` is the data's type and `traceparent` is W3C trace context.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from shared.catalogue.envelope import Envelope
from shared.catalogue.errors import BadHeader
from shared.catalogue.event_type import EventType

Headers = Sequence[tuple[str, bytes]]

_PREFIX = "ce_"
_MAX_TEXT = 256
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SOURCE = re.compile(r"/[A-Za-z0-9_./-]{1,127}")
_VERSIONS = re.compile(r"[1-9][0-9]{0,5}(?:,[1-9][0-9]{0,5})*")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")


def write_time(time: datetime) -> str:
    """RFC 3339 in UTC with `Z`; milliseconds, or microseconds where there are some. Raises ValueError when naive."""
    if time.tzinfo is None:
        raise ValueError("a time on the bus needs its zone")
    precision = "microseconds" if time.microsecond % 1000 else "milliseconds"
    return time.astimezone(UTC).isoformat(timespec=precision)[:-6] + "Z"


def write_headers(envelope: Envelope, entry: EventType, *, has_data: bool) -> list[tuple[str, bytes]]:
    """The record's headers, always in the same order. Raises ValueError when an attribute is not fit for the bus."""
    _refuse_unfit(envelope)
    texts: list[tuple[str, str | None]] = [
        ("ce_specversion", "1.0"),
        ("ce_id", envelope.id),
        ("ce_source", envelope.source),
        ("ce_type", entry.type),
        ("ce_subject", envelope.subject),
        ("ce_time", write_time(envelope.time)),
        ("ce_dataschema", entry.dataschema),
        ("ce_recordedtime", write_time(envelope.recorded_time)),
        ("ce_aggregateversion", str(envelope.aggregate_version)),
        ("ce_correlationid", envelope.correlation_id),
        ("ce_causationid", envelope.causation_id),
        ("ce_alsoversions", ",".join(envelope.also_versions) or None),
        ("content-type", "application/json" if has_data else None),
        ("traceparent", envelope.traceparent),
    ]
    return [(name, text.encode()) for name, text in texts if text is not None]


def _refuse_unfit(envelope: Envelope) -> None:
    ids = (envelope.id, envelope.subject, envelope.correlation_id, envelope.causation_id)
    if any(text is not None and not _ID.fullmatch(text) for text in ids):
        raise ValueError("an id on the bus is 1 to 128 of A-Z a-z 0-9 _ . -")
    if not _SOURCE.fullmatch(envelope.source):
        raise ValueError("a source is a path such as /kairan/membership")
    if envelope.aggregate_version < 1:
        raise ValueError("an aggregate's versions start at 1")


def type_of(headers: Headers) -> bytes:
    """The `ce_type` header, before anything else is looked at. Raises BadHeader when it is missing."""
    for name, value in headers:
        if name == "ce_type" and value:
            return value
    raise BadHeader("ce_type is missing")


def texts_of(headers: Headers) -> dict[str, str]:
    """The CloudEvents headers and the content type as text. Raises BadHeader: not UTF-8, or one of them twice."""
    texts: dict[str, str] = {}
    try:
        for name, value in headers:
            if name.startswith(_PREFIX) or name in ("content-type", "traceparent"):
                if name in texts:
                    raise BadHeader(f"{name[:64]} stands twice")
                texts[name] = value.decode()
    except (UnicodeDecodeError, AttributeError):
        raise BadHeader(f"{name[:64]} is not UTF-8 text") from None
    return texts


def read_envelope(texts: dict[str, str], ce_type: str, also_versions: tuple[str, ...]) -> Envelope:
    """The envelope in a record's headers. Raises BadHeader when one is missing or not what it must be."""
    if texts.get("ce_specversion") != "1.0":
        raise BadHeader("ce_specversion is not 1.0")
    if not texts.get("content-type", "application/json").startswith("application/json"):
        raise BadHeader("content-type is not application/json")
    traceparent = texts.get("traceparent")
    return Envelope(
        _text(texts, "ce_id"),
        _text(texts, "ce_source"),
        ce_type,
        _text(texts, "ce_subject"),
        _time(texts, "ce_time"),
        _time(texts, "ce_recordedtime"),
        _aggregate_version(texts),
        _text(texts, "ce_correlationid") if "ce_correlationid" in texts else None,
        _text(texts, "ce_causationid") if "ce_causationid" in texts else None,
        # A broken trace must cost nothing but the trace.
        traceparent if traceparent is not None and _TRACEPARENT.fullmatch(traceparent) else None,
        also_versions,
    )


def read_also_versions(texts: dict[str, str]) -> tuple[str, ...]:
    """The versions in `ce_alsoversions`, () when it is not there. Raises BadHeader when it is no list of versions."""
    text = texts.get("ce_alsoversions")
    if text is None:
        return ()
    if not _VERSIONS.fullmatch(text):
        raise BadHeader("ce_alsoversions is not a list of versions such as 1,2")
    return tuple(text.split(","))


def _text(texts: dict[str, str], name: str) -> str:
    text = texts.get(name)
    if not text:
        raise BadHeader(f"{name} is missing")
    if len(text) > _MAX_TEXT or not (text.isascii() and text.isprintable()):
        raise BadHeader(f"{name} is not {_MAX_TEXT} printable ASCII characters at most")
    return text


def _time(texts: dict[str, str], name: str) -> datetime:
    text = texts.get(name)
    if not text:
        raise BadHeader(f"{name} is missing")
    if not _RFC3339.fullmatch(text):
        raise BadHeader(f"{name} is not an RFC 3339 time with a zone")
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo is UTC else time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadHeader(f"{name} is not a time that exists") from None


def _aggregate_version(texts: dict[str, str]) -> int:
    text = texts.get("ce_aggregateversion", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) >= 1):
        raise BadHeader("ce_aggregateversion is not a whole number from 1")
    return int(text)
