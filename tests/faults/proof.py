"""What must hold after any fault: every acknowledged join is there, once, in order, and was delivered."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition

from kairan.stack.stack import Stack
from tests.faults.crowd import Crowd

SCOPES = ("members:write", "members:read", "growth:read", "endpoints:write", "endpoints:trusted")


async def until(condition: Callable[[], Awaitable[bool]], what: Callable[[], str], timeout_s: float = 300.0) -> None:
    """Waits for a condition; fails saying how far it came."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what()}"
        await asyncio.sleep(0.1)


class Receiver:
    """Takes webhooks and remembers which ids came for which member, and how often."""

    def __init__(self) -> None:
        self.ids: dict[str, set[str]] = defaultdict(set)
        self.requests = 0
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self, host: str = "127.0.0.1") -> None:
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0)
        await site.start()
        assert site._server is not None
        self.url = f"http://{host}:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        event = await request.json()
        self.ids[event["subject"]].add(request.headers["webhook-id"])
        self.requests += 1
        return web.Response(status=204)


async def subscribe(stack: Stack, receiver: Receiver) -> None:
    """An endpoint with real ids, so that what arrives can be compared with who joined."""
    body = {
        "url": receiver.url,
        "event_types": ["member-joined"],
        "identifiers": "real",
        "disclosure": {"legal_basis": "consent", "recipient": "a receiver", "country": "JP", "purpose": "to test"},
    }
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {stack.token(*SCOPES)}"}) as http,
        http.post(f"{stack.urls['notify']}/v1/endpoints", json=body) as answer,
    ):
        assert answer.status == 201, await answer.text()


async def counted(stack: Stack) -> dict[str, int]:
    """Joins and members as the metrics service counts them now."""
    headers = {"Authorization": f"Bearer {stack.token(*SCOPES)}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=30)) as http:
        async with http.get(f"{stack.urls['metrics']}/v1/joins?by=hour") as answer:
            joins = sum(row["joins"] for row in (await answer.json())["rows"]) if answer.status == 200 else -1
        return {"joins": joins}


async def story(bootstrap: str) -> list[Any]:
    """Every record of kairan.member, in order per partition."""
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as consumer:
        places = [TopicPartition("kairan.member", n) for n in range(12)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        found: list[Any] = []
        while True:
            positions = {place: await consumer.position(place) for place in places}
            if all(positions[place] >= ends[place] for place in places):
                return found
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += records


async def holds(stack: Stack, crowd: Crowd, receiver: Receiver) -> dict[str, int]:
    """Waits for everything to arrive, then checks all of it; returns the figures."""
    members = set(crowd.members)
    assert len(members) == len(crowd.members), "two keys got one member"
    counts: dict[str, int] = {}

    async def all_counted() -> bool:
        counts.update(await _quietly(counted(stack)))
        return counts.get("joins", -1) >= len(members)

    await until(all_counted, lambda: f"{counts} of {len(members)} counted")

    async def all_delivered() -> bool:
        return members <= receiver.ids.keys()

    await until(all_delivered, lambda: f"{len(members - receiver.ids.keys())} of {len(members)} not delivered")
    assert (await counted(stack))["joins"] == len(members), "a join was counted twice, or one that never was"
    assert receiver.ids.keys() == members, "somebody was delivered who did not join"
    assert all(len(ids) == 1 for ids in receiver.ids.values()), "a delivery changed its id"
    left = set(crowd.left)
    expected = {member: [1, 2] if member in left else [1] for member in members}
    versions, records = await _told(stack, sum(map(len, expected.values())))
    assert versions.keys() == members
    wrong = {member: found for member, found in versions.items() if found != expected[member]}
    assert not wrong, f"gaps or disorder: {list(wrong.items())[:5]}"
    return {
        "joins": len(members),
        "left": len(crowd.left),
        "repeated_requests": crowd.repeats,
        "webhook_requests": receiver.requests,
        "kafka_records": records,
        "kafka_repeats": records - sum(len(found) for found in versions.values()),
    }


async def _told(stack: Stack, events: int) -> tuple[dict[str, list[int]], int]:
    """What the log says of each member, once it holds so many events: a leave may lie in the outbox still."""
    found: tuple[dict[str, list[int]], int] = {}, 0

    async def all_there() -> bool:
        nonlocal found
        found = _versions(await story(stack.bootstrap))
        return sum(map(len, found[0].values())) >= events

    await until(all_there, lambda: f"of {events} events the log holds {sum(map(len, found[0].values()))}")
    return found


async def _quietly(asking: Awaitable[dict[str, int]]) -> dict[str, int]:
    try:
        return await asking
    except (aiohttp.ClientError, TimeoutError):
        return {}


def _versions(records: list[Any]) -> tuple[dict[str, list[int]], int]:
    """Each member's versions in the order of the log, a repeat of an event (same id) left out."""
    seen: set[bytes] = set()
    found: dict[str, list[int]] = defaultdict(list)
    for record in records:
        headers = dict(record.headers)
        if headers["ce_id"] not in seen:
            seen.add(headers["ce_id"])
            found[record.key.decode()].append(int(headers["ce_aggregateversion"]))
    return found, len(records)
