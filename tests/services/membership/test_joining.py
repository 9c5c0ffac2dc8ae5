"""Somebody joins: what is answered, what is kept, what the log says."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.catalogue import MemberJoined, MemberProfile
from tests.services.world import World

JOINED_AT = "2021-04-01T09:30:00.123+09:00"


async def test_a_join_is_answered_kept_and_published(membership: World) -> None:
    said = {
        "source": "referral",
        "reason": "invited",
        "entrance_theme_id": "bosai",
        "name": "回覧 花子",
        "prefecture": "北海道",
    }
    answer = await membership.http.post("/v1/members", json=said)
    assert answer.status_code == 201
    member_id = answer.json()["id"]
    assert answer.json() == {"id": member_id, "version": 1}
    shown = (await membership.http.get(f"/v1/members/{member_id}")).json()
    assert shown["name"] == "回覧 花子"
    assert shown["source"] == "referral"
    assert shown["left_at"] is None
    [joined] = await membership.published("kairan.member", member_id)
    assert joined.data == MemberJoined(source="referral", reason="invited", entrance_theme_id="bosai")
    assert joined.envelope.aggregate_version == 1
    assert joined.envelope.source == "/kairan/membership"
    [profile] = await membership.published("kairan.member-profile", member_id)
    assert profile.data == MemberProfile(prefecture="北海道")


async def test_a_join_may_be_dated_by_who_may_write_history(membership: World) -> None:
    answer = await membership.http.post("/v1/members", json={"occurred_at": JOINED_AT, "joined_precision": "day"})
    member_id = answer.json()["id"]
    [joined] = await membership.published("kairan.member", member_id)
    assert joined.envelope.time == datetime(2021, 4, 1, 0, 30, 0, 123000, tzinfo=UTC)
    assert joined.envelope.recorded_time > datetime.now(UTC) - timedelta(hours=1)
    shown = (await membership.http.get(f"/v1/members/{member_id}")).json()
    assert shown["joined_at"] == "2021-04-01T00:30:00.123000Z"
    assert shown["joined_precision"] == "day"


@pytest.mark.parametrize("said", [{"occurred_at": JOINED_AT}, {"joined_precision": "unknown"}])
async def test_history_is_not_for_everybody(membership: World, said: dict[str, str]) -> None:
    answer = await membership.http.post("/v1/members", json=said, headers=membership.as_caller("members:write"))
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "moment",
    [
        (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        "9999-12-31T23:59:59-23:00",
        "1969-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
    ],
    ids=["tomorrow", "at the end of time", "before 1970", "at the beginning of time"],
)
async def test_a_join_lies_between_1970_and_now(membership: World, moment: str) -> None:
    answer = await membership.http.post("/v1/members", json={"occurred_at": moment})
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "said",
    [
        {"occurred_at": "2021-04-01T09:30:00"},
        {"occurred_at": "1617237000"},
        {"occurred_at": 1617237000},
        {"source": "word-of-mouth"},
        {"nickname": "hana"},
        {"name": "a\x00b"},
        {"name": "two\nlines"},
        {"name": ""},
        {"name": "x" * 201},
        {"email": "nobody"},
        {"referrer_id": "no id"},
        {"reason": 1},
        [],
    ],
)
async def test_what_is_not_of_the_schema_is_refused_without_an_echo(membership: World, said: Any) -> None:
    answer = await membership.http.post("/v1/members", json=said)
    assert answer.status_code == 422
    assert "errors" in answer.json()
    for value in said.values() if isinstance(said, dict) else ():
        assert not value or str(value) not in answer.text


@pytest.mark.parametrize("body", [b'{"name":"\\ud800"}', b"", b"{", b'{"name":NaN}', b"\xff"])
async def test_what_is_not_json_is_refused(membership: World, body: bytes) -> None:
    answer = await membership.http.post("/v1/members", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}


async def test_an_address_belongs_to_one_member_until_an_erase(membership: World) -> None:
    address = f"Hanako.{uuid.uuid4().hex}@example.jp"
    first = await membership.http.post("/v1/members", json={"email": address})
    assert first.status_code == 201
    again = await membership.http.post("/v1/members", json={"email": address.lower()})
    assert again.status_code == 409
    assert address.lower() not in again.text
    await membership.http.post(f"/v1/members/{first.json()['id']}/erase")
    assert (await membership.http.post("/v1/members", json={"email": address})).status_code == 201


async def test_a_referrer_is_a_member(membership: World) -> None:
    nobody = await membership.http.post("/v1/members", json={"referrer_id": str(uuid.uuid4())})
    assert nobody.status_code == 409
    referrer_id = (await membership.http.post("/v1/members", json={})).json()["id"]
    answer = await membership.http.post("/v1/members", json={"referrer_id": referrer_id})
    [profile] = await membership.published("kairan.member-profile", answer.json()["id"])
    assert profile.data == MemberProfile(referrer_id=referrer_id)


async def test_the_same_key_gives_the_same_answer_and_one_member(membership: World) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await membership.http.post("/v1/members", json={"name": "once"}, headers=key)
    again = await membership.http.post("/v1/members", json={"name": "once"}, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = await membership.http.post("/v1/members", json={"name": "twice"}, headers=key)
    assert other.status_code == 422
    else_ = await membership.http.post(
        "/v1/members", json={"name": "once"}, headers={**membership.as_caller("members:write"), **key}
    )
    assert else_.json()["id"] != first.json()["id"]
    assert (await membership.http.post("/v1/members", json={}, headers={"Idempotency-Key": "short"})).status_code == 400


async def test_concurrent_twins_have_one_effect(membership: World) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    before = await membership.store.collection("members").count_documents({})
    answers = await asyncio.gather(*(membership.http.post("/v1/members", json={}, headers=key) for _ in range(20)))
    assert {answer.content for answer in answers} == {answers[0].content}
    assert await membership.store.collection("members").count_documents({}) == before + 1


async def test_a_recording_time_is_for_a_stream_only(membership: World, streamed: World) -> None:
    said = {"occurred_at": JOINED_AT, "recorded_at": "2021-04-02T00:00:00Z"}
    assert (await membership.http.post("/v1/members", json=said)).status_code == 409
    member_id = (await streamed.http.post("/v1/members", json=said)).json()["id"]
    [joined] = await streamed.published("kairan.member", member_id)
    assert joined.envelope.recorded_time == datetime(2021, 4, 2, tzinfo=UTC)
    member_id = (await streamed.http.post("/v1/members", json={"occurred_at": JOINED_AT})).json()["id"]
    [joined] = await streamed.published("kairan.member", member_id)
    assert joined.envelope.recorded_time == joined.envelope.time


async def test_every_operation_wants_a_token_and_its_scope(membership: World) -> None:
    document = (await membership.http.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            [[scope]] = [required["bearer"] for required in operation["security"]]
            url = path.replace("{member_id}", "nobody")
            stranger = await membership.http.request(method, url, headers={"Authorization": ""})
            assert stranger.status_code == 401, (method, path)
            lesser = await membership.http.request(method, url, headers=membership.as_caller("growth:read"))
            assert (lesser.status_code, lesser.json()["scope"]) == (403, scope)
