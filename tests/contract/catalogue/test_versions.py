"""Two versions of one event: what the producer sends during the overlap, and what readers old and new make of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from shared.catalogue import (
    Catalogue,
    Envelope,
    Event,
    EventData,
    EventType,
    NotJson,
    Record,
    Skip,
    UnknownVersion,
    WrongSchema,
)
from shared.catalogue.fields import about
from shared.catalogue.wire import Wire


class LampLit(EventData):
    """A lamp was lit."""

    brightness: Annotated[str, about("How bright, in words.")]


class LampLit2(EventData):
    """A lamp was lit; brightness became a number."""

    brightness_percent: Annotated[int, about("How bright.", unit="%")]


class LampLit3(EventData):
    """A lamp was lit; the room is known."""

    brightness_percent: Annotated[int, about("How bright.", unit="%")]
    room_id: Annotated[str, about("The room.", names="room")]


def _type(model: type[EventData], version: int) -> EventType:
    return EventType("lamp-lit", version, "kairan.lamp", model, "house", "A lamp was lit.", "灯がともった。", "lamp")


ONE, TWO, THREE = _type(LampLit, 1), _type(LampLit2, 2), _type(LampLit3, 3)


def brighter(data: dict[str, Any]) -> dict[str, Any]:
    return {"brightness_percent": {"dim": 20, "bright": 90}[data["brightness"]]}


def wordier(data: dict[str, Any]) -> dict[str, Any]:
    return {"brightness": "bright" if data["brightness_percent"] > 50 else "dim"}


def housed(data: dict[str, Any]) -> dict[str, Any]:
    return data | {"room_id": "unknown"}


def unhoused(data: dict[str, Any]) -> dict[str, Any]:
    return {"brightness_percent": data["brightness_percent"]}


UP = {("lamp-lit", 1): brighter, ("lamp-lit", 2): housed}
DOWN = {("lamp-lit", 2): wordier, ("lamp-lit", 3): unhoused}

OLD = Wire(Catalogue([ONE]))
OVERLAP = Wire(Catalogue([ONE, TWO], upcasters=UP, downcasters=DOWN))
AFTER = Wire(Catalogue([ONE, TWO], upcasters=UP))
THIRD = Wire(Catalogue([ONE, TWO, THREE], upcasters=UP, downcasters=DOWN))

_NOON = datetime(2022, 3, 31, 12, tzinfo=UTC)
LIT = Event(Envelope("e1", "/kairan/house", TWO.type, "lamp1", _NOON, _NOON, 1), LampLit2(brightness_percent=90))
LIT_OLD = Event(replace(LIT.envelope, type=ONE.type), LampLit(brightness="dim"))


def read(wire: Wire, record: Record) -> Event | Skip:
    return wire.decode(record.topic, record.key, record.value, record.headers, wanted=frozenset({"lamp-lit"}))


def header(record: Record, name: str) -> bytes | None:
    return dict(record.headers).get(name)


def test_during_the_overlap_both_versions_are_sent_the_higher_first() -> None:
    higher, lower = OVERLAP.encode_all(LIT)
    assert [header(record, "ce_type") for record in (higher, lower)] == [b"kairan.lamp-lit.v2", b"kairan.lamp-lit.v1"]
    assert (higher.value, lower.value) == (b'{"brightness_percent":90}', b'{"brightness":"bright"}')
    assert header(lower, "ce_dataschema") == b"urn:kairan:schema:lamp-lit:v1"
    for record in (higher, lower):
        assert header(record, "ce_alsoversions") == b"1,2"
        assert header(record, "ce_id") == b"e1"
        assert record.key == b"lamp1"


def test_before_and_after_the_overlap_one_is_sent() -> None:
    assert len(OLD.encode_all(LIT_OLD)) == 1
    (record,) = AFTER.encode_all(LIT)
    assert header(record, "ce_alsoversions") is None


def test_an_old_reader_takes_the_old_one_and_passes_over_the_new_one() -> None:
    higher, lower = OVERLAP.encode_all(LIT)
    assert read(OLD, higher) == Skip("newer_version_of_known")
    event = read(OLD, lower)
    assert isinstance(event, Event)
    assert event.data == LampLit(brightness="bright")


def test_a_new_reader_takes_the_new_one_and_passes_over_the_old_one() -> None:
    higher, lower = OVERLAP.encode_all(LIT)
    event = read(AFTER, higher)
    assert isinstance(event, Event)
    assert event.data == LIT.data
    assert read(AFTER, lower) == Skip("older_version_of_known")


def test_with_three_versions_every_reader_takes_exactly_one() -> None:
    newest = Event(replace(LIT.envelope, type=THREE.type), LampLit3(brightness_percent=90, room_id="hall"))
    records = THIRD.encode_all(newest)
    assert [header(record, "ce_type") for record in records] == [f"kairan.lamp-lit.v{n}".encode() for n in (3, 2, 1)]
    assert {header(record, "ce_alsoversions") for record in records} == {b"1,2,3"}
    for wire, taken in ((OLD, 2), (AFTER, 1), (THIRD, 0)):
        assert [isinstance(read(wire, record), Event) for record in records] == [n == taken for n in range(3)]


def test_an_old_event_alone_is_upcast_so_that_handlers_see_the_newest_version_only() -> None:
    event = read(THIRD, OLD.encode(LIT_OLD))
    assert isinstance(event, Event)
    assert event.data == LampLit3(brightness_percent=20, room_id="unknown")
    assert event.envelope == replace(LIT_OLD.envelope, type=THREE.type)


def test_a_new_event_alone_is_poison_for_an_old_reader() -> None:
    with pytest.raises(UnknownVersion):
        read(OLD, AFTER.encode(LIT))


@pytest.mark.parametrize(
    ("value", "error"),
    [(b"{", NotJson), (b"[]", WrongSchema), (b"{}", WrongSchema), (b'{"brightness":"dark"}', WrongSchema)],
)
def test_an_upcaster_that_stumbles_is_the_records_fault(value: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(AFTER, replace(OLD.encode(LIT_OLD), value=value))


def test_a_registry_refuses_what_could_not_be_read_later() -> None:
    with pytest.raises(ValueError, match="no upcaster from version 1"):
        Catalogue([ONE, TWO])
    with pytest.raises(ValueError, match="without a gap"):
        Catalogue([ONE, THREE], upcasters=UP)
    with pytest.raises(ValueError, match="share"):
        Catalogue([ONE, ONE])


def test_by_name_gives_the_newest_unless_asked_otherwise() -> None:
    catalogue = Catalogue([ONE, TWO], upcasters=UP)
    assert catalogue.by_name("lamp-lit") is TWO
    assert catalogue.by_name("lamp-lit", 1) is ONE
    assert catalogue.for_model(LampLit) is ONE
    assert catalogue.by_type("kairan.lamp-lit.v3") is None


def test_a_version_is_sent_until_its_overlap_ends() -> None:
    during = Catalogue([ONE, TWO, THREE], upcasters=UP, downcasters={("lamp-lit", 3): unhoused})
    assert during.of_service("house") == (TWO, THREE)
    assert Catalogue([ONE, TWO, THREE], upcasters=UP).of_service("house") == (THREE,)
    assert during.of_service("garden") == ()
    assert during.topics_of("house") == ("kairan.lamp",)
