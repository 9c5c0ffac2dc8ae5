"""A session is announced, moved, called off or held."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.catalogue import SessionCancelled, SessionHeld, SessionRescheduled, SessionScheduled
from tests.services.world import World

TITLE = {"ja": "防災のはじめの一歩", "en": "First steps"}
STARTS, ENDS = "2022-04-09T20:00:00+09:00", "2022-04-09T21:30:00+09:00"
START, END = datetime(2022, 4, 9, 11, tzinfo=UTC), datetime(2022, 4, 9, 12, 30, tzinfo=UTC)


async def scheduled(world: World, **said: Any) -> str:
    answer = await world.http.post("/v1/sessions", json={"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, **said})
    assert answer.status_code == 201
    session_id: str = answer.json()["id"]
    return session_id


async def do(world: World, session_id: str, what: str, **said: Any) -> int:
    return (await world.http.post(f"/v1/sessions/{session_id}/{what}", json=said)).status_code


async def test_an_announced_session_keeps_its_words_to_itself(events: World) -> None:
    session_id = await scheduled(
        events, theme_ids=["bosai"], url="https://meet.example/x", place="庁舎", capacity=300, modes=["listen_only"]
    )
    [told] = await events.published("kairan.session", session_id)
    assert told.envelope.aggregate_version == 1
    assert told.data == SessionScheduled(
        starts_at=START, ends_at=END, theme_ids=("bosai",), modes=("listen_only",), capacity=300
    )
    shown = (await events.http.get(f"/v1/sessions/{session_id}")).json()
    assert (shown["title"], shown["place"], shown["url"]) == (TITLE, "庁舎", "https://meet.example/x")
    assert (shown["starts_at"], shown["version"]) == ("2022-04-09T11:00:00Z", 1)


async def test_a_session_is_moved_and_held(events: World) -> None:
    session_id = await scheduled(events, theme_ids=["dx"], series_id="saturdays")
    moved = {"starts_at": "2022-04-16T11:00:00Z", "ends_at": "2022-04-16T12:30:00Z"}
    assert await do(events, session_id, "reschedule", **moved) == 200
    assert await do(events, session_id, "hold", attendees=203, ended_at="2022-04-16T12:45:00Z") == 200
    story = await events.published("kairan.session", session_id)
    start = datetime(2022, 4, 16, 11, tzinfo=UTC)
    assert story[1].data == SessionRescheduled(starts_at=start, ends_at=start + timedelta(minutes=90))
    assert story[2].data == SessionHeld(
        started_at=start,
        ended_at=start + timedelta(minutes=105),
        attendees=203,
        theme_ids=("dx",),
        series_id="saturdays",
    )
    assert story[2].envelope.time == start
    assert [event.envelope.aggregate_version for event in story] == [1, 2, 3]
    for what, said in (("hold", {}), ("cancel", {}), ("reschedule", moved)):
        assert await do(events, session_id, what, **said) == 409


async def test_a_cancelled_session_stays_cancelled(events: World) -> None:
    session_id = await scheduled(events)
    assert await do(events, session_id, "cancel", reason_code="too_few") == 200
    assert (await events.published("kairan.session", session_id))[1].data == SessionCancelled(reason_code="too_few")
    for what in ("hold", "cancel"):
        assert await do(events, session_id, what) == 409
    assert (await events.http.get(f"/v1/sessions/{session_id}")).json()["cancel_reason"] == "too_few"


async def test_a_session_ends_after_it_starts_and_is_held_when_it_is_over(events: World) -> None:
    backwards = {"title": TITLE, "starts_at": ENDS, "ends_at": STARTS}
    assert (await events.http.post("/v1/sessions", json=backwards)).status_code == 409
    start = datetime.now(UTC) + timedelta(days=1)
    session_id = await scheduled(events, starts_at=start.isoformat(), ends_at=(start + timedelta(hours=1)).isoformat())
    assert await do(events, session_id, "hold") == 409
    assert await do(events, session_id, "reschedule", starts_at=ENDS, ends_at=STARTS) == 409


@pytest.mark.parametrize("what", ["reschedule", "cancel", "hold"])
async def test_what_is_not_there_is_not_found(events: World, what: str) -> None:
    said = {"starts_at": STARTS, "ends_at": ENDS} if what == "reschedule" else {}
    assert await do(events, str(uuid.uuid4()), what, **said) == 404
    assert (await events.http.get("/v1/sessions/nobody")).status_code == 404


@pytest.mark.parametrize(
    "said",
    [
        {"title": {"ja": "一"}},
        {"title": TITLE, "starts_at": STARTS},
        {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "capacity": 0},
        {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "capacity": "many"},
        {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "modes": ["by_phone"]},
        {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "url": "javascript:alert(1)"},
        {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS, "theme_ids": "dx"},
        {"title": TITLE, "starts_at": "2022-04-09", "ends_at": ENDS},
    ],
)
async def test_what_is_not_of_the_schema_is_refused(events: World, said: dict[str, Any]) -> None:
    assert (await events.http.post("/v1/sessions", json=said)).status_code == 422


async def test_a_repeat_with_its_key_is_the_same_answer(events: World) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    said = {"title": TITLE, "starts_at": STARTS, "ends_at": ENDS}
    answers = [await events.http.post("/v1/sessions", json=said, headers=key) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(await events.published("kairan.session", answers[0].json()["id"])) == 1
