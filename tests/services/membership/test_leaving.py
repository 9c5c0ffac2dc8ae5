"""A member leaves, a join is voided, a member is erased: what stays, and what does not."""

import uuid
from datetime import UTC, datetime

import pytest

from shared.catalogue import JoinVoided, MemberErased, MemberJoined, MemberLeft
from tests.services.world import World

JOINED_AT = "2021-04-01T00:30:00Z"


async def joined(world: World, **said: str) -> str:
    answer = await world.http.post("/v1/members", json=said)
    member_id: str = answer.json()["id"]
    return member_id


async def test_who_left_is_shown_with_the_time(membership: World) -> None:
    member_id = await joined(membership, occurred_at=JOINED_AT)
    answer = await membership.http.delete(
        f"/v1/members/{member_id}", params={"occurred_at": "2022-03-31T12:00:00+09:00", "reason_code": "retired"}
    )
    assert (answer.status_code, answer.json()) == (200, {"id": member_id, "version": 2})
    shown = (await membership.http.get(f"/v1/members/{member_id}")).json()
    assert (shown["left_at"], shown["left_reason"]) == ("2022-03-31T03:00:00Z", "retired")
    left = (await membership.published("kairan.member", member_id))[1]
    assert isinstance(left.data, MemberLeft)
    assert left.data.reason_code == "retired"
    assert (left.data.joined_at, left.data.joined_precision) == (datetime(2021, 4, 1, 0, 30, tzinfo=UTC), "hour")
    assert left.envelope.time == datetime(2022, 3, 31, 3, tzinfo=UTC)
    assert (await membership.http.delete(f"/v1/members/{member_id}")).status_code == 409


async def test_nobody_leaves_before_joining(membership: World) -> None:
    member_id = await joined(membership, occurred_at=JOINED_AT)
    early = {"occurred_at": "2020-01-01T00:00:00Z"}
    assert (await membership.http.delete(f"/v1/members/{member_id}", params=early)).status_code == 409
    of_old = await joined(membership, occurred_at=JOINED_AT, joined_precision="unknown")
    assert (await membership.http.delete(f"/v1/members/{of_old}", params=early)).status_code == 200


async def test_a_leaving_is_repeated_by_its_key(membership: World) -> None:
    member_id = await joined(membership)
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = [await membership.http.delete(f"/v1/members/{member_id}", headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    other = await membership.http.delete(f"/v1/members/{member_id}", params={"reason_code": "other"}, headers=key)
    assert other.status_code == 422


async def test_a_voided_join_tells_all_that_a_counter_needs(membership: World) -> None:
    member_id = await joined(membership, occurred_at=JOINED_AT, source="search", entrance_theme_id="dx")
    await membership.http.delete(f"/v1/members/{member_id}", params={"occurred_at": "2021-05-01T00:00:00Z"})
    answer = await membership.http.post(f"/v1/members/{member_id}/void", json={"reason_code": "test"})
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    voided = (await membership.published("kairan.member", member_id))[-1]
    assert voided.data == JoinVoided(
        joined_at=datetime(2021, 4, 1, 0, 30, tzinfo=UTC),
        joined_precision="hour",
        left_at=datetime(2021, 5, 1, tzinfo=UTC),
        reason_code="test",
        entrance_theme_id="dx",
        source="search",
    )
    shown = (await membership.http.get(f"/v1/members/{member_id}")).json()
    assert shown["voided_at"]
    assert (await membership.http.post(f"/v1/members/{member_id}/void")).status_code == 409
    never = await joined(membership)
    assert (await membership.http.post(f"/v1/members/{never}/void")).status_code == 200
    assert (await membership.http.delete(f"/v1/members/{never}")).status_code == 409


async def test_an_erase_leaves_nothing(membership: World) -> None:
    marker = f"canary{uuid.uuid4().hex}"
    key = {"Idempotency-Key": uuid.uuid4().hex}
    said = {
        "name": f"{marker} name",
        "email": f"{marker}@example.jp",
        "introduction": f"{marker} free text",
        "organisation": f"{marker} office",
        "prefecture": f"{marker} prefecture",
    }
    member_id = (await membership.http.post("/v1/members", json=said, headers=key)).json()["id"]
    await membership.outbox_empty()
    assert (await membership.dump()).count(marker) == len(said)
    answer = await membership.http.post(f"/v1/members/{member_id}/erase", json={"basis": "retention"})
    assert (answer.status_code, answer.json()) == (200, {"id": member_id, "version": 3})
    await membership.outbox_empty()
    assert marker not in await membership.dump()
    assert (await membership.http.get(f"/v1/members/{member_id}")).status_code == 410
    for path in ("erase", "void"):
        assert (await membership.http.post(f"/v1/members/{member_id}/{path}")).status_code == 410
    assert (await membership.http.delete(f"/v1/members/{member_id}")).status_code == 410
    story = await membership.published("kairan.member", member_id)
    assert [type(event.data) for event in story] == [MemberJoined, MemberLeft, MemberErased]
    assert [event.envelope.aggregate_version for event in story] == [1, 2, 3]
    profile = await membership.published("kairan.member-profile", member_id)
    assert [event.data is None for event in profile] == [False, True]


async def test_who_has_left_is_erased_without_leaving_again(membership: World) -> None:
    member_id = await joined(membership)
    await membership.http.delete(f"/v1/members/{member_id}")
    assert (await membership.http.post(f"/v1/members/{member_id}/erase")).json()["version"] == 3
    story = await membership.published("kairan.member", member_id)
    assert [type(event.data) for event in story] == [MemberJoined, MemberLeft, MemberErased]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/erase"), ("POST", "/void")])
async def test_who_was_never_there_is_not_found(membership: World, method: str, path: str) -> None:
    for member_id in (str(uuid.uuid4()), "%00", "ア"):
        answer = await membership.http.request(method, f"/v1/members/{member_id}{path}")
        assert answer.status_code == 404
