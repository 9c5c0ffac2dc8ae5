"""Events to Kafka records and back: the only place that knows what stands in a record."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal

import orjson
from pydantic import TypeAdapter, ValidationError

from shared.catalogue.envelope import Envelope, Event
from shared.catalogue.errors import NotJson, TooLarge, UnknownVersion, WrongSchema
from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData
from shared.catalogue.headers import Headers, read_also_versions, read_envelope, texts_of, type_of, write_headers
from shared.catalogue.registry import Catalogue

MAX_VALUE_BYTES = 256 * 1024

SkipReason = Literal["unknown_type", "not_wanted", "newer_version_of_known", "older_version_of_known"]
_TYPE = re.compile(r"kairan\.([a-z][a-z0-9-]{0,63})\.v([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """One Kafka record as it is sent. The `repr` never spills the value."""

    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]

    def __repr__(self) -> str:
        return f"Record({self.topic} key={self.key.decode()} bytes={len(self.value or b'')})"


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that this reader passes over: nothing is wrong with it."""

    reason: SkipReason


@dataclass(frozen=True, slots=True)
class _Route:
    """Where the data of one known type and version go: all that decoding needs, looked up once."""

    entry: EventType
    newest: EventType
    newest_type: str
    known: tuple[int, ...]
    adapter: TypeAdapter[EventData]


_NOT_WANTED = Skip("not_wanted")


class Wire:
    """Encoder and decoder of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._adapters: dict[str, TypeAdapter[EventData]] = {
            entry.type: TypeAdapter(entry.model) for entry in catalogue.types
        }
        self._routes = {entry.type.encode(): self._route(entry) for entry in catalogue.types}

    def _route(self, entry: EventType) -> _Route:
        newest = self._catalogue.by_name(entry.name)
        known = self._catalogue.versions(entry.name)
        return _Route(entry, newest, newest.type, known, self._adapters[newest.type])

    def encode(self, event: Event) -> Record:
        """The record of an event, in its own version.

        Raises:
            ValueError: the type is not in the catalogue, the data are of another type, or an id is not fit for the bus.
            TooLarge: the data are above 256 KiB.
        """
        entry = self._catalogue.by_type(event.envelope.type)
        if entry is None:
            raise ValueError(f"{event.envelope.type} is not in the catalogue")
        value = self._value(entry, event.data)
        headers = write_headers(event.envelope, entry, has_data=value is not None)
        return Record(entry.topic, event.envelope.subject.encode(), value, headers)

    def encode_all(self, event: Event) -> list[Record]:
        """The records of an event: one, or during an overlap all versions, the highest first. Raises as `encode`."""
        entry = self._catalogue.by_type(event.envelope.type)
        if entry is None or event.data is None or (entry.name, entry.version) not in self._catalogue.downcasters:
            return [self.encode(event)]
        events, data = [event], event.data
        while caster := self._catalogue.downcasters.get((entry.name, entry.version)):
            lower = caster(orjson.loads(self._adapters[entry.type].dump_json(data)))
            entry = self._catalogue.by_name(entry.name, entry.version - 1)
            data = self._adapters[entry.type].validate_json(orjson.dumps(lower), strict=True)
            events.append(Event(replace(event.envelope, type=entry.type), data))
        also = tuple(sorted((each.envelope.type.rpartition(".v")[2] for each in events), key=int))
        return [self.encode(Event(replace(each.envelope, also_versions=also), each.data)) for each in events]

    def _value(self, entry: EventType, data: EventData | None) -> bytes | None:
        if data is None:
            if not entry.tombstones:
                raise ValueError(f"{entry.type} has no tombstones")
            return None
        if type(data) is not entry.model:
            raise ValueError(f"{entry.type} carries {entry.model.__name__}, not {type(data).__name__}")
        value = self._adapters[entry.type].dump_json(data)
        if len(value) > MAX_VALUE_BYTES:
            raise TooLarge(f"{len(value)} bytes, at most {MAX_VALUE_BYTES}")
        return value

    def decode(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, *, wanted: Collection[str] | None
    ) -> Event | Skip:
        """The event in a record, its data always in the newest version, or the reason to pass over it.

        Args:
            topic: where it was read; a retry topic does as well.
            key: the record's key; the subject is taken from the headers.
            value: the data, None for a tombstone.
            headers: the record's headers.
            wanted: event names (without version) that this reader handles; None for all.

        Raises:
            Poison: TooLarge, BadHeader, UnknownVersion, NotJson or WrongSchema, looked for in this order.
        """
        if value is not None and len(value) > MAX_VALUE_BYTES:
            raise TooLarge(f"{len(value)} bytes, at most {MAX_VALUE_BYTES}")
        ce_type = type_of(headers)
        route = self._routes.get(ce_type)
        if route is None:
            return self._unknown(headers, wanted)
        if wanted is not None and route.entry.name not in wanted:
            return _NOT_WANTED
        texts = texts_of(headers)
        also = read_also_versions(texts)
        if also and any(route.entry.version < int(other) and int(other) in route.known for other in also):
            return Skip("older_version_of_known")
        return self._read(route, read_envelope(texts, route.newest_type, also), value)

    def _unknown(self, headers: Headers, wanted: Collection[str] | None) -> Skip:
        texts = texts_of(headers)
        parts = _TYPE.fullmatch(texts["ce_type"])
        known = self._catalogue.versions(parts[1]) if parts else ()
        if parts is None or not known:
            return Skip("unknown_type")
        if wanted is not None and parts[1] not in wanted:
            return _NOT_WANTED
        if any(int(version) in known for version in read_also_versions(texts)):
            return Skip("newer_version_of_known")
        raise UnknownVersion(f"{parts[1]} version {parts[2]}; known: {', '.join(map(str, known))}")

    def _read(self, route: _Route, envelope: Envelope, value: bytes | None) -> Event:
        if value is None:
            if not route.newest.tombstones:
                raise WrongSchema(f"{route.entry.type} without data; it has no tombstones")
            return Event(envelope, None)
        if route.entry is not route.newest:
            value = self._upcast(route, value)
        try:
            return Event(envelope, route.adapter.validate_json(value, strict=True))
        except ValidationError as error:
            raise _poison(error) from None

    def _upcast(self, route: _Route, value: bytes) -> bytes:
        try:
            data = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise NotJson("the value cannot be parsed") from None
        try:
            for version in range(route.entry.version, route.newest.version):
                data = self._catalogue.upcasters[(route.entry.name, version)](data)
            return orjson.dumps(data)
        except Exception as error:
            # An upcaster trusts its input; what it stumbles over is data that never had its version's schema.
            raise WrongSchema(f"{route.entry.type} cannot be upcast: {type(error).__name__}") from None


def _poison(error: ValidationError) -> NotJson | WrongSchema:
    """Where and what, without the value: an operator's log names no payload."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return NotJson("the value cannot be parsed")
    return WrongSchema(f"{'.'.join(map(str, first['loc'])) or 'data'}: {first['type']}")
