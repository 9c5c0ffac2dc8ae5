"""What a reader passes over, and at which price: the type's header decides before anything else is looked at."""

from dataclasses import replace

import pytest

from shared.catalogue import CATALOGUE, RESERVED, Event, MemberProfile, Record, Skip, decode, encode
from tests.contract.catalogue.golden_events import EXPECTED, MEMBER

JOINED = encode(EXPECTED["member-joined.v1"])


def typed(ce_type: str, value: bytes | None = b"not json at all") -> Record:
    headers = [(name, ce_type.encode() if name == "ce_type" else text) for name, text in JOINED.headers]
    return replace(JOINED, headers=headers, value=value)


def read(record: Record, *wanted: str) -> Event | Skip:
    return decode(record.topic, record.key, record.value, record.headers, wanted=frozenset(wanted))


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_name_is_not_known_yet(name: str) -> None:
    assert read(typed(f"kairan.{name}.v1"), "member-joined", name) == Skip("unknown_type")


@pytest.mark.parametrize(
    "ce_type", ["com.example.order", "kairan.member-joined", "kairan.member-joined.v0", "kairan.member-joined.v01", "x"]
)
def test_a_type_of_another_world_is_passed_over(ce_type: str) -> None:
    assert read(typed(ce_type), "member-joined") == Skip("unknown_type")


def test_what_is_not_wanted_costs_no_json() -> None:
    assert read(typed("kairan.member-joined.v1"), "member-left") == Skip("not_wanted")


def test_an_unwanted_event_in_an_unknown_version_is_just_unwanted() -> None:
    assert read(typed("kairan.member-joined.v7"), "member-left") == Skip("not_wanted")


def test_a_tombstone_is_an_event_without_data() -> None:
    record = encode(EXPECTED["member-profile.v1.tombstone"])
    assert record.value is None
    assert "content-type" not in dict(record.headers)
    event = read(record, "member-profile")
    assert isinstance(event, Event)
    assert event.data is None
    assert event.envelope.subject == MEMBER


def test_repr_never_spills_the_data() -> None:
    event = EXPECTED["member-profile.v1"]
    spilled = f"{event!r} {event} {event.data!r} {event.data} {encode(event)!r}"
    assert isinstance(event.data, MemberProfile)
    assert event.data.organisation is not None
    assert event.data.organisation not in spilled
    assert str(event.data.referrer_id) not in spilled
    assert event.envelope.id in repr(event)


def test_no_name_is_both_published_and_reserved() -> None:
    assert not set(CATALOGUE.names()) & RESERVED
