"""From the bus to a receiver: signed, matched, numbered, retried, logged; judged by two libraries of receivers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from aiohttp import web

from shared.bus.outbox import shard_of
from shared.catalogue import GrowthSpikeDetected, MemberLeft, MilestoneReached, SessionHeld
from tests.services.notify.receiver import Delivered, in_turn, receiving
from tests.services.notify.world import Register, World, about, joined

NOW = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)


async def test_what_matches_arrives_signed_and_structured(register: Register, world: World) -> None:
    async with receiving() as receiver:
        await register(receiver, "member-joined", "session-*", identifiers="real")
        join, left = joined(), about(MemberLeft(reason_code="self"))
        held = about(SessionHeld(started_at=NOW, ended_at=NOW, attendees=200))
        await world.publish(left, join, held)
        first, second = await receiver.about(join.envelope.subject, held.envelope.subject)
    assert first.event["type"] == "kairan.member-joined.v1"
    assert first.event["id"] == join.envelope.id
    assert first.event["data"]["source"] == "search"
    assert first.headers["content-type"] == "application/cloudevents+json"
    assert first.headers["webhook-attempt"] == "1"
    assert second.event["data"]["attendees"] == 200
    assert {one.event["type"] for one in receiver.received} == {"kairan.member-joined.v1", "kairan.session-held.v1"}


async def test_growth_events_arrive_and_tell_of_no_person(register: Register, world: World) -> None:
    async with receiving() as receiver:
        await register(receiver, "growth-*", "milestone-reached")
        spike = about(
            GrowthSpikeDetected(
                publication_id="issue",
                kind="magazine_issue",
                published_at=NOW,
                as_of=NOW + timedelta(hours=4),
                observed=40,
                expected=9.5,
                extra=30.5,
                low=20,
                high=41,
                log_evidence=6.1,
                verdict="clear",
            ),
            "issue",
        )
        milestone = about(MilestoneReached(measure="members", value=5_000, as_of=NOW), "community")
        await world.publish(joined(), spike, milestone)
        first, second = await receiver.about("issue", "community")
    assert (first.event["type"], first.event["subject"]) == ("kairan.growth-spike-detected.v1", "issue")
    assert first.event["data"]["publication_id"] == "issue"
    assert first.event["id"] != spike.envelope.id  # an event's id is this endpoint's own
    assert second.event["data"]["value"] == 5_000
    assert len(receiver.received) == 2


async def test_nothing_that_was_recorded_before_the_endpoint(register: Register, world: World) -> None:
    before, after = joined(), joined()
    await world.publish(before)
    async with receiving() as receiver:
        await register(receiver, "member-joined", identifiers="real")
        await world.publish(after)
        await receiver.about(after.envelope.subject)
        assert before.envelope.subject not in {one.event["subject"] for one in receiver.received}


async def test_ids_differ_by_endpoint_and_are_stable_within_one(register: Register, world: World) -> None:
    join = joined()
    left = about(MemberLeft(reason_code="retired"), join.envelope.subject)
    async with receiving() as one, receiving() as other:
        for receiver in (one, other):
            await register(receiver, "member-*")
        await world.publish(join, left)
        mine, theirs = [await each.until(lambda found: len(found) == 2) for each in (one, other)]
    assert len({delivered.event["subject"] for delivered in mine}) == 1
    assert {delivered.event["subject"] for delivered in mine}.isdisjoint({each.event["subject"] for each in theirs})
    assert {delivered.id for delivered in mine}.isdisjoint({each.id for each in theirs})
    for delivered in (*mine, *theirs):
        assert join.envelope.subject.encode() not in delivered.body
        assert delivered.event["id"] not in (join.envelope.id, left.envelope.id)


async def test_sequences_are_dense_and_a_producers_repeat_is_sent_once(register: Register, world: World) -> None:
    async with receiving() as receiver:
        await register(receiver, "member-joined", identifiers="real")
        joins = [joined() for _ in range(60)]
        await world.publish(*joins[:40], *joins[:40], *joins[40:])
        received = await receiver.about(*(join.envelope.subject for join in joins))
        assert sorted(one.sequence for one in received) == list(range(1, 61))
        assert len(receiver.received) == 60


async def test_a_repeat_that_the_inbox_has_forgotten_is_not_sent_again_and_stops_nobody(
    register: Register, world: World
) -> None:
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined", identifiers="real")
        repeated, other = joined(), joined()
        await world.publish(repeated)
        await receiver.about(repeated.envelope.subject)
        await world.store.collection("inbox.notify").delete_many({})
        await world.publish(repeated, other)
        await receiver.about(other.envelope.subject)
        last = joined()
        await world.publish(last)
        await receiver.about(last.envelope.subject)
        assert [one.event["id"] for one in receiver.received].count(repeated.envelope.id) == 1
        deliveries = world.store.collection("deliveries")
        assert await deliveries.count_documents({"endpoint": endpoint, "event_id": repeated.envelope.id}) == 1


async def test_a_failing_receiver_gets_the_same_id_again_until_it_takes_it(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(500, 503, 200)) as receiver:
        endpoint = await register(receiver, "member-joined")
        await world.publish(joined())
        received = await receiver.until(lambda found: len(found) == 3)
        assert len({one.id for one in received}) == len({one.sequence for one in received}) == 1
        assert [one.attempt for one in received] == [1, 2, 3]
        (row,) = await logged(notify, endpoint, "delivered")
    assert [attempt["status"] for attempt in row["attempts"]] == [500, 503, 200]
    assert [attempt["error"] for attempt in row["attempts"]] == ["status", "status", None]
    assert "body" not in row


async def test_when_the_schedule_ends_the_bus_is_told_but_not_that_endpoint(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(500)) as receiver, receiving() as watcher:
        endpoint = await register(receiver, "*")
        await register(watcher, "delivery-*", identifiers="real")
        join = joined()
        await world.publish(join)
        (told,) = await watcher.about(endpoint)
        assert told.event["type"] == "kairan.delivery-exhausted.v1"
        assert told.event["data"]["event_id"] == join.envelope.id
        assert told.event["data"]["attempts"] == 3
        assert told.event["data"]["last_status"] == 500
        (row,) = await logged(notify, endpoint, "exhausted")
        assert row["event_id"] == receiver.received[0].event["id"]
        assert not [one for one in receiver.received if one.event["subject"] == endpoint]
    assert [event.envelope.aggregate_version for event in await world.published("kairan.delivery", endpoint)] == [1]


async def test_410_disables_the_endpoint_until_it_is_resumed(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(410, 200)) as receiver, receiving() as watcher, receiving() as witness:
        endpoint = await register(receiver, "member-joined")
        await register(watcher, "endpoint-disabled")
        await register(witness, "member-joined", identifiers="real")
        await world.publish(joined())
        (told,) = await watcher.about(endpoint)
        assert told.event["data"]["reason_code"] == "gone"
        shown = (await notify.get(f"/v1/endpoints/{endpoint}")).json()
        assert (shown["state"], shown["reason"]) == ("disabled", "gone")
        missed, heard = joined(), joined()
        await world.publish(missed)
        await witness.about(missed.envelope.subject)
        assert (await notify.post(f"/v1/endpoints/{endpoint}/resume")).status_code == 200
        await world.publish(heard)
        received = await receiver.until(lambda found: len(found) == 2)
        assert received[1].sequence == 2


async def test_five_days_of_failures_disable_the_endpoint_and_drop_what_waits(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(500)) as receiver, receiving() as watcher:
        endpoint = await register(receiver, "member-joined")
        await register(watcher, "endpoint-*", identifiers="real")
        six_days_ago = int((datetime.now(UTC) - timedelta(days=6)).timestamp() * 1000)
        await world.store.collection("lanes").insert_one(
            {"_id": endpoint, "shard": shard_of(endpoint), "sequence": 0, "failing_since_ms": six_days_ago}
        )
        await world.publish(joined())
        (told,) = await watcher.about(endpoint)
        assert told.event["data"]["reason_code"] == "failing"
        (row,) = await logged(notify, endpoint, "dropped")
        assert [attempt["status"] for attempt in row["attempts"]] == [500] * len(row["attempts"])


async def test_a_hung_receiver_delays_nobody_else(register: Register, world: World) -> None:
    release = asyncio.Event()

    async def hang(_: Delivered) -> int:
        await release.wait()
        return 200

    async with receiving(hang) as hung, receiving() as healthy:
        await register(hung, "member-joined")
        await register(healthy, "member-joined", identifiers="real")
        joins = [joined() for _ in range(30)]
        await world.publish(*joins)
        await healthy.about(*(join.envelope.subject for join in joins))
        await hung.until(lambda found: len(found) >= 2)
        assert len(hung.received) == 2  # as many as may be in flight
        release.set()
        await hung.until(lambda found: len(found) == 30)


async def test_a_deleted_endpoint_hears_nothing_more(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(500)) as receiver, receiving() as watcher:
        endpoint = await register(receiver, "member-joined")
        await register(watcher, "*", identifiers="real")
        assert (await notify.delete(f"/v1/endpoints/{endpoint}")).status_code == 200
        join = joined()
        await world.publish(join)
        await watcher.about(join.envelope.subject)
        assert receiver.received == []
        (told,) = await watcher.about(endpoint)
        assert told.event["data"]["reason_code"] == "owner"


async def test_a_paused_endpoint_makes_up_for_what_it_missed(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver, receiving() as watcher:
        endpoint = await register(receiver, "member-joined")
        await register(watcher, "member-joined", identifiers="real")
        assert (await notify.post(f"/v1/endpoints/{endpoint}/pause")).status_code == 200
        join = joined()
        await world.publish(join)
        await watcher.about(join.envelope.subject)
        assert receiver.received == []
        assert (await notify.post(f"/v1/endpoints/{endpoint}/resume")).status_code == 200
        await receiver.until(lambda found: len(found) == 1)


async def test_a_receiver_that_asks_for_time_is_left_alone(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def later(_: Delivered) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "3600"})

    async with receiving(later) as receiver:
        endpoint = await register(receiver, "member-joined")
        await world.publish(joined())
        await receiver.until(lambda found: len(found) == 1)
        (row,) = await logged(notify, endpoint, "waiting", attempts=1)
        planned_at, next_at = (datetime.fromisoformat(row[name]) for name in ("planned_at", "next_attempt_at"))
        assert 3500 < (next_at - planned_at).total_seconds() < 3700


async def logged(
    notify: httpx.AsyncClient, endpoint: str, state: str, attempts: int = 0, count: int = 1
) -> list[dict[str, Any]]:
    """The endpoint's deliveries in this state, once there are so many, one of them with so many attempts."""
    async with asyncio.timeout(60):
        while True:
            answer = await notify.get("/v1/deliveries", params={"endpoint": endpoint, "state": state})
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()["deliveries"]
            if len(found) >= count and any(len(one["attempts"]) >= attempts for one in found):
                return found
            await asyncio.sleep(0.02)
