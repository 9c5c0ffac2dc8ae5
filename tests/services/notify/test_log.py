"""The log: found by whatever is asked, page by page, shown to its owner, forgotten in time; and what is pulled."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from services.notify.answer_text import answer_text
from services.notify.log import Gap, gaps
from services.notify.log_store import LogStore
from services.notify.question import Place, Question
from services.notify.store import NotifyStore
from shared.catalogue import MemberErased
from tests.services.notify.receiver import Delivered, receiving
from tests.services.notify.world import Register, World, about, joined

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
TYPE = "kairan.member-joined.v1"


def past_delivery(endpoint: str, owner: str, sequence: int, at: datetime, **other: Any) -> dict[str, Any]:
    """A delivery that has ended, as it is stored."""
    return {
        "_id": f"msg_{uuid.uuid4().hex}",
        "endpoint": endpoint,
        "owner": owner,
        "sequence": sequence,
        "event_type": TYPE,
        "event_id": str(uuid.uuid4()),
        "recorded_ms": 0,
        "state": "delivered",
        "made": 1,
        "next_at_ms": 0,
        "planned_at": at,
        "attempts": [{"at_ms": 0, "status": 204, "duration_ms": 1.5, "failure": None}],
        **other,
    }


@pytest.fixture
async def past(world: World) -> AsyncIterator[list[dict[str, Any]]]:
    """300 deliveries of two endpoints of one owner, many of them planned in the same millisecond."""
    owner = f"owner-{uuid.uuid4().hex[:8]}"
    endpoints = [str(uuid.uuid4()) for _ in range(2)]
    await world.store.collection("endpoints").insert_many(
        [{"_id": one, "owner": owner, "state": "deleted", "pairwise_key": ""} for one in endpoints]
    )
    moments = [LONG_AGO + timedelta(milliseconds=n // 40) for n in range(300)]
    rows = [past_delivery(endpoints[n % 3 == 0], owner, n + 1, at) for n, at in enumerate(moments)]
    await world.store.collection("deliveries").insert_many(rows)
    yield rows
    await world.store.collection("deliveries").delete_many({"owner": owner})
    await world.store.collection("endpoints").delete_many({"owner": owner})


async def pages(client: httpx.AsyncClient, headers: dict[str, str], **asked: Any) -> AsyncIterator[list[str]]:
    after: dict[str, str] = {}
    while True:
        answer = await client.get("/v1/deliveries", params={**asked, **after}, headers=headers)
        assert answer.status_code == 200, answer.text
        yield [one["id"] for one in answer.json()["deliveries"]]
        if answer.json()["next"] is None:
            return
        after = {"after": answer.json()["next"]}


def newest_first(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [one["_id"] for one in sorted(rows, key=lambda one: (one["planned_at"], one["_id"]), reverse=True)]


async def test_pages_show_each_delivery_once_although_newer_ones_come(
    notify: httpx.AsyncClient, world: World, past: list[dict[str, Any]]
) -> None:
    owner, endpoint = past[1]["owner"], past[1]["endpoint"]
    mine = world.caller("endpoints:read", subject=owner)
    admin = world.caller("endpoints:read", "endpoints:admin", subject="admin")
    to = (LONG_AGO + timedelta(hours=1)).isoformat()
    of_one = [one for one in past if one["endpoint"] == endpoint]
    for headers, asked, expected in (
        (mine, {"endpoint": endpoint}, of_one),
        (mine, {}, past),
        (admin, {"to": to, "from": LONG_AGO.isoformat()}, past),
        (mine, {"event_type": "member-*", "state": "delivered", "status": "2xx"}, past),
        (mine, {"event_type": "session-*"}, []),
    ):
        seen: list[str] = []
        async for page in pages(notify, headers, limit=23, **asked):
            seen += page
            newer = past_delivery(endpoint, owner, 1000, LONG_AGO + timedelta(days=1))
            await world.store.collection("deliveries").insert_one(newer)
        shown_before = [one for one in seen if one in {row["_id"] for row in past}]
        assert shown_before == newest_first(expected)
        assert len(seen) == len(set(seen))
        await world.store.collection("deliveries").delete_many({"sequence": 1000, "owner": owner})


async def test_a_rare_one_is_found_by_bounded_looks_that_say_so(world: World, past: list[dict[str, Any]]) -> None:
    await world.store.collection("deliveries").update_one(
        {"_id": past[3]["_id"]}, {"$set": {"event_type": "kairan.session-held.v1"}}
    )
    log = LogStore(world.store, NotifyStore(world.store), scan=25)
    endpoints: list[str] = list({one["endpoint"] for one in past})
    for scope in (endpoints, None, endpoints + [str(n) for n in range(200)]):
        found, after, looks = [], Place.before(LONG_AGO + timedelta(hours=1)), 0
        while True:
            page = await log.page(Question(event_type="session-held"), scope, after, 10)
            found += [one["_id"] for one in page.found]
            looks += 1
            assert page.partial == (page.following is not None)
            if page.following is None:
                break
            after = page.following
        assert found == [past[3]["_id"]]
        assert looks > 3


async def test_failures_are_found_by_status_error_state_and_ids_and_show_what_was_said(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    said = "<b>障害</b>\x1b[31m" + "x" * 20_000

    async def refuse(_: Delivered) -> web.StreamResponse:
        return web.Response(status=503, body=said.encode("cp932"), content_type="text/html", charset="cp932")

    async with receiving(refuse) as receiver, receiving() as healthy:
        endpoint, other = await register(receiver, "member-joined"), await register(healthy, "member-joined")
        join = joined()
        await world.publish(join)
        row = await the_only(notify, endpoint=endpoint, state="exhausted")
        await healthy.until(lambda found: len(found) == 1)
        for asked in (
            {"status": "503"},
            {"status": "5xx"},
            {"error": "status"},
            {"status": "5xx", "error": "status", "event_type": "member-joined"},
            {"event_id": join.envelope.id},
            {"delivery_id": row["id"], "event_type": TYPE},
        ):
            assert (await the_only(notify, endpoint=endpoint, **asked))["id"] == row["id"]
        for asked in ({"status": "500"}, {"status": "2xx"}, {"error": "timeout"}, {"to": LONG_AGO.isoformat()}):
            assert (await search(notify, endpoint=endpoint, **asked)) == []
        everywhere = {one["endpoint_id"] for one in await search(notify, event_id=join.envelope.id)}
        assert everywhere >= {endpoint, other}  # also at endpoints that other tests have left
        (sent,) = {one.event["id"] for one in receiver.received}
        assert (await the_only(notify, endpoint=endpoint, event_id=sent))["event_id"] == sent == row["event_id"]
        assert await search(notify, endpoint=other, event_id=sent) == []
        whole = (await notify.get(f"/v1/deliveries/{row['id']}")).json()
        assert [attempt["answer"] for attempt in whole["attempts"]] == [said[: 16 * 1024 - 2]] * 3
        assert whole["payload"] == receiver.received[0].event
        assert whole["payload_missing"] is None
        admin = world.caller("endpoints:read", "endpoints:admin", subject="admin")
        seen = (await notify.get(f"/v1/deliveries/{row['id']}", headers=admin)).json()
        assert (seen["event_id"], seen["payload"], seen["payload_missing"]) == (join.envelope.id, None, "withheld")
        stranger = world.caller("endpoints:read", subject="stranger")
        assert (await notify.get(f"/v1/deliveries/{row['id']}", headers=stranger)).status_code == 404
        assert await search(notify, headers=stranger, delivery_id=row["id"]) == []


async def test_payload_and_answers_go_after_seven_days_and_when_the_member_is_erased(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def refuse(_: Delivered) -> web.StreamResponse:
        return web.Response(status=500, text="you sent me this")

    deliveries = world.store.collection("deliveries")
    async with receiving(refuse) as receiver:
        endpoint = await register(receiver, "member-joined")
        join = joined()
        await world.publish(join)
        row = await the_only(notify, endpoint=endpoint, state="exhausted")
        await deliveries.update_one({"_id": row["id"]}, {"$set": {"done_at": datetime.now(UTC) - timedelta(days=8)}})
        whole = (await notify.get(f"/v1/deliveries/{row['id']}")).json()
        assert (whole["payload"], whole["payload_missing"]) == (None, "gone")
        assert [attempt["answer"] for attempt in whole["attempts"]] == [None] * 3
        assert await NotifyStore(world.store).forget_payloads(datetime.now(UTC) - timedelta(days=7)) >= 1
        stored = await deliveries.find_one({"_id": row["id"]})
        assert "body" not in stored
        assert b"you sent me" not in orjson.dumps(stored["attempts"])

        other = joined()
        await world.publish(other)
        row = await the_only(notify, endpoint=endpoint, state="exhausted", event_id=other.envelope.id)
        await world.publish(about(MemberErased(basis="request"), other.envelope.subject))
        async with asyncio.timeout(90):
            while await deliveries.count_documents({"person": other.envelope.subject}):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        stored = await deliveries.find_one({"_id": row["id"]})
        assert "body" not in stored
        assert b"you sent me" not in orjson.dumps(stored["attempts"])


async def test_what_an_endpoint_missed_is_pulled_by_number_and_a_gap_is_named(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined")
        assert (await notify.get("/v1/events", params={"endpoint": endpoint})).json() == {
            "events": [],
            "gaps": [],
            "next": 0,
            "last": 0,
        }
        await world.publish(*(joined() for _ in range(9)))
        received = {one.sequence: one for one in await receiver.until(lambda found: len(found) == 9)}
        for sequence in range(1, 10):
            await the_only(notify, delivery_id=received[sequence].id, state="delivered")
        deliveries = world.store.collection("deliveries")
        await deliveries.delete_many({"endpoint": endpoint, "sequence": {"$in": [4, 5, 9]}})
        await deliveries.update_one({"endpoint": endpoint, "sequence": 6}, {"$unset": {"body": ""}})
        first = (await notify.get("/v1/events", params={"endpoint": endpoint, "after": 1, "limit": 3})).json()
        assert [one["sequence"] for one in first["events"]] == [2, 3, 6]
        assert (first["gaps"], first["next"], first["last"]) == ([{"first": 4, "last": 5}], 6, 9)
        assert [one["webhook-id"] for one in first["events"]] == [received[n].id for n in (2, 3, 6)]
        assert [one["payload"] for one in first["events"]] == [received[2].event, received[3].event, None]
        assert [one["payload_missing"] for one in first["events"]] == [None, None, "gone"]
        rest = (await notify.get("/v1/events", params={"endpoint": endpoint, "after": 6})).json()
        assert [one["sequence"] for one in rest["events"]] == [7, 8]
        assert (rest["gaps"], rest["next"]) == ([{"first": 9, "last": 9}], 9)
        stranger = world.caller("endpoints:read", subject="stranger")
        refused = await notify.get("/v1/events", params={"endpoint": endpoint}, headers=stranger)
        assert refused.status_code == 404
        assert (await notify.get("/v1/events", params={"after": 6}, headers=stranger)).status_code == 409
        alone = world.caller("endpoints:read", "endpoints:write", subject="alone")
        wish = {"url": receiver.url, "event_types": ["session-held"]}
        made = (await notify.post("/v1/endpoints", json=wish, headers=alone)).json()["id"]
        assert (await notify.get("/v1/events", headers=alone)).json()["last"] == 0
        await notify.delete(f"/v1/endpoints/{made}", headers=alone)


@given(st.sets(st.integers(1, 60)), st.integers(0, 60), st.integers(0, 80))
def test_gaps_and_numbers_make_up_the_whole_range(numbers: set[int], after: int, up_to: int) -> None:
    there = sorted(number for number in numbers if after < number <= up_to)
    found = gaps(there, after, up_to)
    missing = [number for gap in found for number in range(gap.first, gap.last + 1)]
    assert sorted([*there, *missing]) == list(range(after + 1, up_to + 1))
    assert all(isinstance(gap, Gap) and gap.first <= gap.last for gap in found)


@given(st.binary(max_size=200), st.sampled_from(["", "text/plain; charset=shift_jis", "x; charset=zip", "; charset="]))
def test_any_answer_becomes_text(body: bytes, content_type: str) -> None:
    answer_text(body, content_type).encode()


async def search(
    notify: httpx.AsyncClient, headers: dict[str, str] | None = None, **asked: str
) -> list[dict[str, Any]]:
    answer = await notify.get("/v1/deliveries", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


async def the_only(notify: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    """The one delivery that fits, once there is one."""
    async with asyncio.timeout(90):
        while not (found := await search(notify, **asked)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    (one,) = found
    return one
