"""After an erase: what waits tells nothing of the member, what was logged is gone, and the receiver still hears it."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from services.notify.delivery import Waiting
from services.notify.endpoint import Endpoints
from services.notify.eraser import Eraser
from services.notify.pairwise import Pseudonyms, pairwise_message, real_message
from services.notify.redaction import redacted
from services.notify.store import NotifyStore
from services.notify.vault import Vault
from shared.catalogue import (
    CATALOGUE,
    Event,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberProfile,
    decode,
    encode,
)
from shared.store.mongo import Binary
from tests.contract.catalogue.golden_events import EXPECTED
from tests.services.notify.receiver import Delivered, Receiver, receiving
from tests.services.notify.test_deliveries import logged
from tests.services.notify.world import Register, World, about

ONE = Pseudonyms(b"1" * 32)
PERSONAL = [entry.name for entry in CATALOGUE.types if entry.subject_is_person]


def canary() -> str:
    return f"canary{uuid.uuid4().hex[:12]}"


def singing(member: str, song: str) -> Event:
    """A join in which the canary sits wherever one can sit."""
    data = MemberJoined(source="publication", source_ref=song, reason="work_problem", entrance_theme_id=song)
    return about(data, member)


def real_body(event: Event) -> bytes:
    return orjson.dumps(real_message(event))


def erased(member: str) -> Event:
    return about(MemberErased(basis="request"), member)


@pytest.mark.parametrize("name", PERSONAL)
def test_what_is_redacted_is_still_its_event_and_tells_as_little_as_its_schema_lets_it(name: str) -> None:
    event = EXPECTED[f"{name}.v1"]
    told = orjson.loads(redacted(real_body(event), {event.envelope.subject}))
    assert told["redacted"] == "member-erased"
    kept = ("id", "source", "type", "subject", "time", "recordedtime", "aggregateversion")
    assert {name: told[name] for name in kept} == {name: orjson.loads(real_body(event))[name] for name in kept}
    record = encode(event)
    again = decode(record.topic, record.key, orjson.dumps(told["data"]), record.headers, wanted=None)
    assert isinstance(again, Event)
    for field, info in type(again.data).model_fields.items():
        assert info.is_required() or getattr(again.data, field) in (None, (), info.default)


def test_in_an_event_about_somebody_else_only_the_id_goes() -> None:
    profile = about(MemberProfile(organisation="見本市", prefecture="東京都", referrer_id="friend"), "member")
    for body, ids, subject in (
        (real_body(profile), {"friend"}, "member"),
        (orjson.dumps(pairwise_message(profile, ONE)), {"friend", ONE.person("friend")}, ONE.person("member")),
    ):
        told = orjson.loads(redacted(body, ids))
        assert told["subject"] == subject
        assert told["data"] == {"organisation": "見本市", "prefecture": "東京都", "referrer_id": None}


def test_a_sentence_names_nobody_and_stays() -> None:
    for body in (b'{"text":"A member left."}', b'{"type":"message","attachments":[]}'):
        assert redacted(body, {"member"}) == body


@asynccontextmanager
async def echoing() -> AsyncIterator[Receiver]:
    """A receiver that fails once and answers with what it was told."""

    async def echo(delivered: Delivered) -> web.StreamResponse:
        return web.Response(status=500 if delivered.attempt == 1 else 200, body=delivered.body)

    async with receiving(echo) as receiver:
        yield receiver


async def test_after_an_erase_nothing_of_it_is_left_and_what_waited_comes_redacted_and_in_order(
    notify: httpx.AsyncClient, register: Register, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    member, song = str(uuid.uuid4()), canary()
    async with receiving() as real, receiving() as pairwise, echoing() as quick:
        waiting = [
            await register(real, "member-*", identifiers="real"),
            await register(pairwise, "member-*"),
        ]
        for endpoint in waiting:
            assert (await notify.post(f"/v1/endpoints/{endpoint}/pause")).status_code == 200
        told = await register(quick, "member-joined", identifiers="real")
        await world.publish(singing(member, song))
        await logged(notify, told, "delivered")
        for endpoint in waiting:
            await logged(notify, endpoint, "waiting")
        assert song in await everything(world)
        await world.publish(erased(member))
        async with asyncio.timeout(60):
            while song in await everything(world):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert song not in caplog.text
        assert song not in (await notify.get("/metrics")).text
        for endpoint in waiting:
            await logged(notify, endpoint, "waiting", count=2)
            assert (await notify.post(f"/v1/endpoints/{endpoint}/resume")).status_code == 200
        for receiver in (real, pairwise):
            received = await receiver.until(lambda found: len(found) == 2)
            join, farewell = sorted(received, key=lambda one: one.sequence)
            assert farewell.event["type"] == "kairan.member-erased.v1"
            assert join.event["redacted"] == "member-erased"
            assert "redacted" not in farewell.event
            assert join.event["subject"] == farewell.event["subject"]
            assert (farewell.event["subject"] == member) == (receiver is real)
            assert join.event["data"] == {
                "source": "publication",
                "joined_precision": "hour",
                **dict.fromkeys(("source_ref", "reason", "entrance_theme_id")),
            }
        left = about(MemberLeft(reason_code="self", joined_at=datetime.now(UTC)), member)
        await world.publish(left)
        (*_, late) = await real.until(lambda found: len(found) == 3)
        assert (late.event["redacted"], late.event["data"]["joined_at"]) == ("member-erased", None)


async def test_what_a_lane_has_in_hand_is_redacted_when_it_is_sent(notify: httpx.AsyncClient, world: World) -> None:
    store, member, song = NotifyStore(world.store), str(uuid.uuid4()), canary()
    endpoints = Endpoints(Vault.from_file(world.settings.notify_secrets_key_file))
    made = await notify.post(
        "/v1/endpoints", json={"url": "https://hooks.example.com/kairan", "event_types": ["member-joined"]}
    )
    document = await store.endpoint(made.json()["id"])
    assert document is not None
    (endpoint,) = endpoints.of([document])
    body = orjson.dumps(pairwise_message(singing(member, song), endpoint.pseudonyms))
    in_hand = Waiting("msg_1", endpoint.id, 1, 0, "kairan.member-joined.v1", "e", 0, body, people=(member, "other"))
    eraser = Eraser(world.store, store, store.erasures, endpoints, "another")
    assert eraser.to_send(in_hand, endpoint) is in_hand
    await eraser.start()
    try:
        await world.store.transaction(lambda session: store.erasures.note([member], session))
        async with asyncio.timeout(60):
            while (sent := eraser.to_send(in_hand, endpoint)) is in_hand:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await eraser.stop()
    assert song.encode() not in sent.body
    assert orjson.loads(sent.body)["subject"] == endpoint.pseudonyms.person(member)
    other = replace(in_hand, people=("other",))
    assert eraser.to_send(other, endpoint) is other


async def test_many_are_redacted_in_bounded_batches(world: World, notify: httpx.AsyncClient) -> None:
    made = await notify.post(
        "/v1/endpoints", json={"url": "https://hooks.example.com/kairan", "event_types": ["member-left"]}
    )
    endpoint, member, song = made.json()["id"], str(uuid.uuid4()), canary()
    assert (await notify.post(f"/v1/endpoints/{endpoint}/pause")).status_code == 200
    deliveries = world.store.collection("deliveries")
    await deliveries.insert_many([_waiting(n, endpoint, member, song) for n in range(2_500)])
    erasures = NotifyStore(world.store).erasures
    await world.store.transaction(lambda session: erasures.note([member], session))
    async with asyncio.timeout(60):
        while await deliveries.count_documents({"endpoint": endpoint, "person": member}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await deliveries.count_documents({"endpoint": endpoint, "state": "waiting"}) == 2_500
    assert song not in await everything(world)
    await notify.delete(f"/v1/endpoints/{endpoint}")


def _waiting(n: int, endpoint: str, member: str, song: str) -> dict[str, Any]:
    return {
        "_id": f"{endpoint}-{n}",
        "endpoint": endpoint,
        "owner": "tester",
        "sequence": n + 1,
        "event_type": "kairan.member-joined.v1",
        "event_id": f"event-{n}",
        "recorded_ms": 0,
        "state": "waiting",
        "made": 0,
        "next_at_ms": 0,
        "planned_at": datetime.now(UTC),
        "attempts": [],
        "body": Binary(real_body(singing(member, song))),
        "person": [member],
    }


async def everything(world: World) -> str:
    """All that the service's database holds, in one text."""
    found = []
    for name in await world.store.db.list_collection_names():
        found += [repr(document) async for document in world.store.collection(name).find()]
    return "\n".join(found)
