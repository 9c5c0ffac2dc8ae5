"""What an endpoint is told: its own ids for people and events, and nothing by which two receivers could compare."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.pairwise import Pseudonyms, pairwise_message, real_message
from shared.catalogue import CATALOGUE, DeliveryExhausted, Envelope, Event, EventData, MemberJoined, SessionHeld

MOMENT = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)
ONE, OTHER = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)


def event(data: EventData, subject: str) -> Event:
    envelope = Envelope(
        id="event-id",
        source="/kairan/membership",
        type=CATALOGUE.for_model(type(data)).type,
        subject=subject,
        time=MOMENT,
        recorded_time=MOMENT,
        aggregate_version=1,
        correlation_id="correlation-id",
        causation_id="causation-id",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return Event(envelope, data)


JOINED = event(MemberJoined(source="search"), "member-id")


@given(st.text(max_size=40), st.text(max_size=40))
def test_stand_ins_are_stable_distinct_and_shaped_like_uuids(one: str, two: str) -> None:
    assert ONE.person(one) == Pseudonyms(b"1" * 32).person(one)
    assert (ONE.person(one) == ONE.person(two)) == (one == two)
    assert len({ONE.person(one), OTHER.person(one), ONE.event(one), OTHER.event(one)}) == 4
    assert UUID(ONE.person(one)).version == 8


def test_two_endpoints_share_no_id_of_one_join() -> None:
    mine, theirs = (pairwise_message(JOINED, key) for key in (ONE, OTHER))
    shared = {name for name in mine if mine[name] == theirs[name]}
    assert shared.isdisjoint({"id", "subject", "correlationid", "causationid"})
    assert mine["subject"] == ONE.person("member-id")
    assert mine["data"]["source"] == "search"
    for secret in ("member-id", "event-id", "correlation-id", "causation-id", "0af7651916cd43dd8448eb211c80319c"):
        assert secret not in repr(pairwise_message(JOINED, ONE))


def test_a_cause_can_be_found_among_what_the_same_endpoint_received() -> None:
    body = pairwise_message(JOINED, ONE)
    assert body["causationid"] == ONE.event("causation-id")


def test_sessions_keep_their_ids_because_they_are_nobody() -> None:
    held = event(SessionHeld(started_at=MOMENT, ended_at=MOMENT, attendees=200), "session-1")
    assert pairwise_message(held, ONE)["subject"] == "session-1"


def test_the_id_of_an_event_inside_the_data_is_replaced_too() -> None:
    given_up = DeliveryExhausted(
        endpoint_id="endpoint-1", event_type="kairan.member-joined.v1", event_id="e", attempts=1
    )
    assert pairwise_message(event(given_up, "endpoint-1"), ONE)["data"]["event_id"] == ONE.event("e")


def test_a_trusted_endpoint_gets_what_is_on_the_bus() -> None:
    body = real_message(JOINED)
    assert (body["id"], body["subject"]) == ("event-id", "member-id")
    assert body["specversion"] == "1.0"


@pytest.mark.parametrize("name", [name for name in CATALOGUE.names() if CATALOGUE.by_name(name).subject_is_person])
def test_every_type_about_a_person_is_known_as_such(name: str) -> None:
    assert CATALOGUE.by_name(name).topic.startswith("kairan.member")
