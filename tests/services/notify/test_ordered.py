"""Ordered endpoints: each subject's deliveries one after another; one that is blocked blocks only its own subject."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.notify import dispatcher
from services.notify.delivery import UNTRIED
from services.notify.ordered import OrderedStore
from shared.bus.outbox import shard_of
from shared.catalogue import Event, SessionHeld
from tests.services.notify.receiver import Delivered, receiving
from tests.services.notify.world import Register, World, about, joined

NOW = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)
IDS = ("f1c2a7de-0000-4000-8000-000000000001", "f1c2a7de-0000-4000-8000-000000000002")


def held(session_id: str) -> Event:
    return about(SessionHeld(started_at=NOW, ended_at=NOW, attendees=200), session_id)


def many(subjects: Iterable[str], times: int, fact: Callable[[str], Event] = joined) -> list[Event]:
    """`times` events about each subject, round robin."""
    return [fact(subject) for _ in range(times) for subject in subjects]


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def shown(notify: httpx.AsyncClient, endpoint: str, state: str) -> list[dict[str, Any]]:
    answer = await notify.get("/v1/deliveries", params={"endpoint": endpoint, "state": state, "limit": 1000})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["deliveries"]
    return found


async def test_each_subjects_events_come_one_after_another_although_every_fifth_attempt_fails(
    register: Register, world: World
) -> None:
    rng, flying, most, violations = random.Random(6), Counter[str](), Counter[str](), []
    taken: dict[str, list[int]] = {}
    failed: dict[int, int] = Counter()

    async def answer(delivered: Delivered) -> int:
        subject, sequence = delivered.event["subject"], delivered.sequence
        flying[subject] += 1
        most[subject] = max(most[subject], flying[subject])
        await asyncio.sleep(rng.random() * 0.004)
        flying[subject] -= 1
        if failed[sequence] < 2 and rng.random() < 0.2:
            failed[sequence] += 1
            return 500
        if taken.setdefault(subject, [])[-1:] > [sequence]:
            violations.append(sequence)
        taken[subject].append(sequence)
        return 204

    subjects = [joined().envelope.subject for _ in range(10)]
    async with receiving(answer) as receiver:
        await register(receiver, "member-joined", identifiers="real", ordered=True, in_flight=16)
        sent = many(subjects, 30)
        await world.publish(*sent)
        await until(lambda: all_taken([taken.get(one, []) for one in subjects], len(sent)))
    bus = {subject: [one.envelope.id for one in sent if one.envelope.subject == subject] for subject in subjects}
    came: dict[str, list[str]] = {subject: [] for subject in subjects}
    for one in receiver.received:
        if one.event["id"] not in came.setdefault(one.event["subject"], []):
            came[one.event["subject"]].append(one.event["id"])
    assert {subject: came[subject] for subject in subjects} == bus
    assert violations == []
    assert set(most.values()) == {1}
    assert sum(failed.values()) > 20


async def test_what_is_planned_while_earlier_ones_are_still_read_page_by_page_waits_for_them(
    register: Register, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned deliveries go straight to their lane, but never before those that the lane has yet to read."""
    monkeypatch.setattr(dispatcher, "_MOST_AT_HAND", 8)
    subjects = [joined().envelope.subject for _ in range(200)]
    async with receiving() as receiver:
        await register(receiver, "member-joined", identifiers="real", ordered=True, in_flight=16)
        sent = many(subjects, 15)
        await world.publish(*sent)
        received = await receiver.until(lambda found: len(found) >= len(sent))
    taken: dict[str, list[int]] = {}
    for one in received:
        taken.setdefault(one.event["subject"], []).append(one.sequence)
    assert [subject for subject, numbers in taken.items() if numbers != sorted(numbers)] == []


async def test_what_was_given_up_blocks_its_subject_alone_until_its_owner_says_otherwise(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    blocked, free = IDS

    async def answer(delivered: Delivered) -> int:
        return 500 if (delivered.event["subject"], delivered.sequence) == (blocked, 1) else 204

    async with receiving(answer) as receiver:
        endpoint = await register(receiver, "session-held", ordered=True)
        await world.publish(held(blocked))
        await receiver.until(lambda found: len(found) == 3)
        await until(lambda: exhausted(notify, endpoint))
        await world.publish(*many((blocked, free), 30, held))
        await receiver.until(lambda found: sum(one.event["subject"] == free for one in found) == 30)
        await until(lambda: counted(notify, endpoint, blocked=30))
        (parked,) = await shown(notify, endpoint, "exhausted")
        assert parked["blocked"]
        assert {one["next_attempt_at"] for one in await shown(notify, endpoint, "waiting")} == {None}
        assert len([one for one in receiver.received if one.event["subject"] == blocked]) == 3
        await OrderedStore(world.store).release(endpoint, blocked)
        await receiver.until(lambda found: len(found) == 3 + 30 + 30)
        again = [one.sequence for one in receiver.received if one.event["subject"] == blocked]
        assert again[3:] == sorted(again[3:])
        await world.publish(held(blocked))
        await receiver.until(lambda found: len(found) == 3 + 30 + 30 + 1)


async def all_taken(taken: list[list[int]], count: int) -> bool:
    return sum(map(len, taken)) >= count


async def exhausted(notify: httpx.AsyncClient, endpoint: str) -> bool:
    return len(await shown(notify, endpoint, "exhausted")) == 1


async def counted(notify: httpx.AsyncClient, endpoint: str, *, blocked: int) -> bool:
    return len([one for one in await shown(notify, endpoint, "waiting") if one["blocked"]]) == blocked


async def test_thousands_behind_a_blocked_subject_are_never_read_and_outlast_the_process(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    """The next process knows what is blocked; what it reads are the others, however many wait."""
    blocked, free = IDS
    async with receiving() as receiver:
        endpoint = await register(receiver, "session-held", ordered=True)
        await notify.post(f"/v1/endpoints/{endpoint}/pause")
        stored = world.store.collection("deliveries")
        head = delivery(endpoint, 1, blocked) | {"holds": True, "made": 3, "state": "exhausted"}
        behind = delivery(endpoint, 0, blocked) | {"behind": True}
        del behind["next_at_ms"], head["next_at_ms"]
        await stored.insert_one(head)
        await stored.insert_many(
            [{**behind, "_id": f"msg_{endpoint}_{n}", "sequence": n} for n in range(2, 20_002)], ordered=False
        )
        await world.store.collection("lanes").insert_one(
            {"_id": endpoint, "shard": shard_of(endpoint), "sequence": 20_001, "keyed": True}
        )
        await notify.post(f"/v1/endpoints/{endpoint}/resume")
        await world.publish(*many((free, blocked), 20, held))
        received = await receiver.until(lambda found: len(found) >= 20)
        assert {one.event["subject"] for one in received} == {free}
        store = OrderedStore(world.store)
        plan = await world.store.db.command(
            {
                "explain": {"distinct": "deliveries", "key": "key", "query": {"endpoint": endpoint, "behind": True}},
                "verbosity": "executionStats",
            }
        )
        assert plan["executionStats"]["totalKeysExamined"] <= len(IDS) + 1  # one a subject in line
        assert [one.sequence for one in await store.line(endpoint, blocked)][:2] == [2, 3]


def delivery(endpoint: str, sequence: int, key: str) -> dict[str, Any]:
    """As planned, never tried."""
    return {
        "_id": f"msg_{endpoint}_{sequence}",
        "endpoint": endpoint,
        "owner": "tester",
        "sequence": sequence,
        "event_type": "kairan.member-joined.v1",
        "event_id": "e",
        "recorded_ms": 0,
        "state": "waiting",
        "made": 0,
        "next_at_ms": UNTRIED,
        "planned_at": datetime.now(UTC),
        "attempts": [],
        "body": b'{"subject": "?"}',
        "key": key,
    }
