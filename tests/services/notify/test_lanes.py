"""What a lane lets through: as many as its owner says, while the breaker is closed, and only what is still worth it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.notify.delivery import Settled, Waiting
from services.notify.outcome import Answer, Failure, Verdict
from shared.bus.outbox import shard_of
from shared.catalogue import EndpointFailing, SessionHeld
from tests.services.notify.receiver import Delivered, in_turn, receiving
from tests.services.notify.world import Register, World, about, joined

NOW = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)


async def log_of(notify: httpx.AsyncClient, endpoint: str, state: str, count: int) -> list[dict[str, Any]]:
    """The endpoint's deliveries in this state, once there are so many."""
    async with asyncio.timeout(60):
        while True:
            answer = await notify.get("/v1/deliveries", params={"endpoint": endpoint, "state": state})
            found: list[dict[str, Any]] = answer.json()["deliveries"]
            if len(found) == count:
                return found
            await asyncio.sleep(0.02)


async def state_is(notify: httpx.AsyncClient, endpoint: str, state: str) -> None:
    async with asyncio.timeout(60):
        while (await notify.get(f"/v1/endpoints/{endpoint}")).json()["state"] != state:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def lane_with(world: World, endpoint: str, **fields: Any) -> None:
    """The endpoint's lane as another process has left it."""
    lane = {"_id": endpoint, "shard": shard_of(endpoint), "sequence": 0, **fields}
    await world.store.collection("lanes").insert_one(lane)


async def test_its_owner_changes_how_many_are_under_way_while_they_are(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    release = asyncio.Event()

    async def hang(_: Delivered) -> int:
        await release.wait()
        return 204

    async with receiving(hang) as receiver, receiving() as witness:
        endpoint = await register(receiver, "member-joined", in_flight=1)
        await register(witness, "member-joined", identifiers="real")
        joins = [joined() for _ in range(10)]
        await world.publish(*joins)
        await witness.about(*(join.envelope.subject for join in joins))
        await receiver.until(lambda found: len(found) >= 1)
        assert len(receiver.received) == 1
        assert (await notify.patch(f"/v1/endpoints/{endpoint}", json={"in_flight": 6})).status_code == 200
        await receiver.until(lambda found: len(found) >= 6)
        assert len(receiver.received) == 6
        release.set()
        await receiver.until(lambda found: len(found) == 10)


async def test_what_fails_is_degraded_and_is_well_again_when_a_probe_is_taken(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    well = asyncio.Event()

    async def answer(_: Delivered) -> int:
        return 204 if well.is_set() else 500

    async with receiving(answer) as receiver:
        endpoint = await register(receiver, "member-joined")
        joins = [joined() for _ in range(8)]
        await world.publish(*joins)
        await state_is(notify, endpoint, "degraded")
        well.set()
        await log_of(notify, endpoint, "waiting", 0)
        await world.publish(joined())
        await state_is(notify, endpoint, "active")


async def test_an_open_breaker_outlasts_its_process_and_uses_up_no_attempts(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined")
        now_ms = int(time.time() * 1000)
        breaker = {"since_ms": now_ms, "probe_at_ms": now_ms + 4_000, "wait_s": 900.0}
        await lane_with(world, endpoint, breaker=breaker)
        await world.publish(*[joined() for _ in range(5)])
        delivered = await log_of(notify, endpoint, "delivered", 5)
        await state_is(notify, endpoint, "active")
    attempts = [attempt for one in delivered for attempt in one["attempts"]]
    assert len(attempts) == 5
    assert min(datetime.fromisoformat(one["at"]).timestamp() for one in attempts) * 1000 >= now_ms + 4_000


async def test_what_was_planned_by_a_clock_ahead_of_ours_is_sent_although_later_numbers_were_due_before(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    deliveries, lanes = world.store.collection("deliveries"), world.store.collection("lanes")
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined")
        await world.publish(joined())
        await log_of(notify, endpoint, "delivered", 1)
        first = await deliveries.find_one({"endpoint": endpoint}, {"done_at": 0})
        now_ms = int(time.time() * 1000)

        def planned(sequence: int, at_ms: int) -> dict[str, Any]:
            fresh = {"state": "waiting", "made": 0, "attempts": [], "sequence": sequence, "next_at_ms": at_ms}
            return {**first, "_id": f"{first['_id']}{sequence}", **fresh}

        async def elsewhere(session: Any) -> None:
            await deliveries.insert_many([planned(2, now_ms + 1_500), planned(3, now_ms)], session=session)
            await lanes.update_one({"_id": endpoint}, {"$inc": {"sequence": 2}}, session=session)

        await world.store.transaction(elsewhere)
        received = await receiver.until(lambda found: len(found) == 3, timeout_s=30)
        assert [one.sequence for one in received] == [1, 3, 2]


async def test_what_has_expired_is_not_sent_and_what_has_not_is(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        ages = {"member-joined": 0.001, "*": 3600}
        heard = ("member-joined", "session-held")
        endpoint = await register(receiver, *heard, identifiers="real", expires_after_s=ages)
        held = about(SessionHeld(started_at=NOW, ended_at=NOW, attendees=1))
        await world.publish(joined(), held)
        (expired,) = await log_of(notify, endpoint, "expired", 1)
        assert (expired["event_type"], expired["attempts"]) == ("kairan.member-joined.v1", [])
        await receiver.about(held.envelope.subject)
        assert [one.event["subject"] for one in receiver.received] == [held.envelope.subject]


def test_a_retry_that_would_come_too_late_comes_when_it_expires_and_is_not_made() -> None:
    failed = Answer(500, Failure.STATUS, 1.0)
    waiting = Waiting("msg_1", "e", 1, 0, "t", "i", 0, b"", expires_ms=60_000)
    again = Settled(waiting, failed, Verdict("waiting", 300.0), ended_ms=1_000)
    assert again.next_at_ms == 60_000
    assert Settled(waiting, failed, Verdict("waiting", 5.0), ended_ms=1_000).next_at_ms == 6_000
    assert not waiting.expired(59_999)
    assert waiting.expired(60_000)


async def test_what_is_above_the_quota_of_a_minute_waits_and_has_not_failed(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver, receiving() as witness:
        endpoint = await register(receiver, "member-joined", per_minute=3)
        await register(witness, "member-joined", identifiers="real")
        joins = [joined() for _ in range(5)]
        await world.publish(*joins)
        await witness.about(*(join.envelope.subject for join in joins))
        await receiver.until(lambda found: len(found) >= 3)
        assert {len(one["attempts"]) for one in await log_of(notify, endpoint, "waiting", 2)} == {0}
        assert len(receiver.received) == 3


async def test_who_was_paused_and_is_resumed_is_not_given_up_for_failures_before(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    six_days_ago = int((datetime.now(UTC) - timedelta(days=6)).timestamp() * 1000)
    lanes = world.store.collection("lanes")
    async with receiving(in_turn(500, 200)) as receiver:
        endpoint = await register(receiver, "member-joined")
        assert (await notify.post(f"/v1/endpoints/{endpoint}/pause")).status_code == 200
        await lane_with(world, endpoint, failing_since_ms=six_days_ago)
        async with asyncio.timeout(60):
            while "failing_since_ms" in await lanes.find_one({"_id": endpoint}):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert (await notify.post(f"/v1/endpoints/{endpoint}/resume")).status_code == 200
        await world.publish(joined())
        (row,) = await log_of(notify, endpoint, "delivered", 1)
        assert [attempt["status"] for attempt in row["attempts"]] == [500, 200]


@pytest.mark.parametrize(("hours_ago", "told"), [(0.5, []), (2, [1]), (30, [1, 24])])
async def test_the_owner_is_told_once_after_an_hour_and_once_after_a_day(
    register: Register, world: World, hours_ago: float, told: list[int]
) -> None:
    since_ms = int((datetime.now(UTC) - timedelta(hours=hours_ago)).timestamp() * 1000)
    first = {"type": "kairan.member-left.v1", "id": "the-first"}
    async with receiving(in_turn(500)) as receiver, receiving() as watcher:
        endpoint = await register(receiver, "member-joined")
        await register(watcher, "endpoint-*", "delivery-exhausted", identifiers="real")
        await lane_with(world, endpoint, failing_since_ms=since_ms, failing_with=first)
        await world.publish(joined())

        def enough(found: list[Delivered]) -> bool:
            """The last attempt is told last."""
            mine = [one for one in found if one.event["subject"] == endpoint]
            return {"kairan.delivery-exhausted.v1"} <= {one.event["type"] for one in mine} and len(mine) > len(told)

        await watcher.until(enough)
        events = await world.published("kairan.delivery", endpoint)
        warnings = [one.data for one in events if isinstance(one.data, EndpointFailing)]
        assert [one.hours for one in warnings] == told
        assert {(one.event_type, one.event_id) for one in warnings} <= {(first["type"], first["id"])}
