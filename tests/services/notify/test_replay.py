"""Sending again: what was previewed, once, under the same ids and numbers, at a bounded rate; and skipping."""

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from aiohttp import web
from cryptography.fernet import Fernet

from services.notify.delivery import MOST_ATTEMPTS
from services.notify.vault import Vault
from shared.catalogue import MemberLeft
from tests.services.notify.receiver import Delivered, in_turn, receiving
from tests.services.notify.test_takeover import endpoint_in, process
from tests.services.notify.world import Register, World, about, joined

FIRST, BEFORE, IN_FLIGHT = 60, 20, 2


async def preview(notify: httpx.AsyncClient, endpoint: str, **selection: Any) -> dict[str, Any]:
    answer = await notify.post(f"/v1/endpoints/{endpoint}/replays/preview", json=selection)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def replayed(notify: httpx.AsyncClient, endpoint: str, **selection: Any) -> dict[str, Any]:
    """The replay of a selection, once it has ended."""
    token = (await preview(notify, endpoint, **selection))["token"]
    begun = await notify.post(f"/v1/endpoints/{endpoint}/replays", json={**selection, "token": token})
    assert begun.status_code == 202, begun.text
    return await ended(notify, begun.json()["id"])


async def ended(notify: httpx.AsyncClient, replay: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (found := (await notify.get(f"/v1/replays/{replay}")).json())["state"] == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    result: dict[str, Any] = found
    return result


async def all_in(notify: httpx.AsyncClient, endpoint: str, state: str, count: int) -> list[dict[str, Any]]:
    """The endpoint's deliveries in a state by number, once there are so many."""
    async with asyncio.timeout(90):
        while True:
            answer = await notify.get("/v1/deliveries", params={"endpoint": endpoint, "state": state})
            found: list[dict[str, Any]] = answer.json()["deliveries"]
            if len(found) == count:
                return sorted(found, key=lambda one: int(one["sequence"]))
            await asyncio.sleep(0.05)


async def test_what_failed_is_sent_again_under_its_id_and_number_with_a_fresh_schedule(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    broken = True

    async def answer(delivered: Delivered) -> int:
        return 500 if broken and delivered.event["type"] == "kairan.member-joined.v1" else 200

    async with receiving(answer) as receiver:
        endpoint = await register(receiver, "member-joined", "member-left")
        await world.publish(joined(), about(MemberLeft(reason_code="self")), joined())
        first = await all_in(notify, endpoint, "exhausted", 2)
        await all_in(notify, endpoint, "delivered", 1)
        seen = await preview(notify, endpoint, state="exhausted", event_types=["member-*"], status="5xx")
        assert (seen["count"], seen["payload_gone"]) == (2, 0)
        assert (seen["first"], seen["last"]) == (first[0]["sequence"], first[1]["sequence"])
        assert [one["id"] for one in seen["examples"]] == [one["id"] for one in first]
        done = await replayed(notify, endpoint, state="exhausted")  # and they fail again, three times each
        assert (done["state"], done["total"], done["replayed"], done["passed_over"]) == ("done", 2, 2, 0)
        async with asyncio.timeout(90):
            while True:
                again = await all_in(notify, endpoint, "exhausted", 2)
                if [len(one["attempts"]) for one in again] == [6, 6]:
                    break
                await asyncio.sleep(0.05)
        broken = False
        assert (await replayed(notify, endpoint, since_sequence=1))["replayed"] == 3
        await all_in(notify, endpoint, "delivered", 3)
        received = await receiver.until(lambda found: len(found) == 3 * 2 * 2 + 1 + 3)
    for one in first:
        its = [each for each in received if each.id == one["id"]]
        assert {each.sequence for each in its} == {one["sequence"]}
        assert [each.attempt for each in its] == list(range(1, 8))


async def test_a_replay_needs_the_token_of_its_preview(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver, receiving() as elsewhere:
        endpoint, other = await register(receiver, "member-joined"), await register(elsewhere, "member-joined")
        await world.publish(joined())
        (one,) = await all_in(notify, endpoint, "delivered", 1)
        place = f"/v1/endpoints/{endpoint}/replays"
        token = (await preview(notify, endpoint, delivery_id=one["id"]))["token"]
        chosen = {"delivery_id": one["id"], "token": token}
        admin = world.caller("endpoints:write", "endpoints:read", "endpoints:admin", subject="admin")
        stranger = world.caller("endpoints:write", "endpoints:read", subject="stranger")
        for path, said, headers, status in (
            (place, {"delivery_id": one["id"]}, {}, 422),
            (place, {"state": "delivered", "token": token}, {}, 409),
            (place, {"delivery_id": "msg_other", "token": token}, {}, 409),
            (place, {"token": Fernet(Fernet.generate_key()).encrypt(b"{}").decode()}, {}, 409),
            (f"/v1/endpoints/{other}/replays", chosen, {}, 409),
            (place, chosen, admin, 409),
            (place, chosen, stranger, 404),
            (f"{place}/preview", {"delivery_id": "msg_other"}, {}, 404),
            (f"{place}/preview", {"delivery_id": one["id"], "state": "delivered"}, {}, 422),
            (f"{place}/preview", {"history": {}}, {}, 422),
            (f"{place}/preview", {"status": "often"}, {}, 422),
            (f"{place}/preview", {"state": json.loads("[" * 70 + "]" * 70)}, {}, 400),
            (f"{place}/preview", {}, stranger, 404),
        ):
            answer = await notify.post(path, json=said, headers=headers)
            assert (answer.status_code, said) == (status, said), answer.text
        vault = Vault.from_file(world.settings.notify_secrets_key_file)
        old = orjson.loads(vault.open(token)) | {"expires_ms": int(time.time() * 1000) - 1}
        assert (await notify.post(place, json={"token": vault.seal(orjson.dumps(old))})).status_code == 412
        first, second = [(await notify.post(place, json=chosen)).json()["id"] for _ in range(2)]
        assert first == second
        assert (await ended(notify, first))["replayed"] == 1
        received = await receiver.until(lambda found: len(found) == 2)
        assert received[0].id == received[1].id == one["id"]
        assert [one["id"] for one in (await notify.get(place)).json()["replays"]] == [first]
        for path in (f"/v1/replays/{first}", place):
            assert (await notify.get(path, headers=stranger)).status_code == 404


async def test_history_comes_once_with_the_next_numbers_and_the_ids_of_always(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    begin = datetime.now(UTC)
    begin = begin.replace(microsecond=begin.microsecond // 1000 * 1000)  # as records have it
    early = [joined() for _ in range(5)]
    left = about(MemberLeft(reason_code="self"))
    async with receiving() as receiver, receiving() as witness:
        await register(witness, "member-*", identifiers="real")
        await world.publish(*early, left)
        await witness.about(*(one.envelope.subject for one in [*early, left]))
        endpoint = await register(receiver, "member-joined", identifiers="real")
        live = joined()
        await world.publish(live)
        await receiver.about(live.envelope.subject)
        await all_in(notify, endpoint, "delivered", 1)
        stretch = {"from": begin.isoformat()}
        seen = await preview(notify, endpoint, history=stretch)
        assert seen["count"] == len(early)
        assert {one["event_id"] for one in seen["examples"]} == {one.envelope.id for one in early}
        assert (await preview(notify, endpoint, history=stretch, event_types=["member-left"]))["count"] == 0
        done = await replayed(notify, endpoint, history=stretch)
        assert (done["state"], done["replayed"]) == ("done", 5)
        received = await receiver.about(*(one.envelope.subject for one in early))
        assert sorted(one.sequence for one in received) == [2, 3, 4, 5, 6]
        await all_in(notify, endpoint, "delivered", 6)
        # What is gone comes back under the same id: a whole delivery with a new number, a payload with the old one.
        deliveries = world.store.collection("deliveries")
        gone, bare = received[0], received[1]
        await deliveries.delete_one({"_id": gone.id})
        await deliveries.update_one({"_id": bare.id}, {"$unset": {"body": ""}})
        assert (await preview(notify, endpoint, since_sequence=1))["payload_gone"] == 1
        assert (await replayed(notify, endpoint, history=stretch))["replayed"] == 2
        again = (await receiver.until(lambda found: len(found) == 8))[6:]
        assert {(one.id, one.sequence) for one in again} == {(gone.id, 7), (bare.id, bare.sequence)}
        assert {one.body for one in again} == {gone.body, bare.body}


async def test_a_replay_keeps_its_rate_is_stopped_and_goes_on_in_another_process_without_sending_twice(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined")
        joins = [joined() for _ in range(300)]
        await world.publish(*joins)
        await receiver.until(lambda found: len(found) == 300)
        await counted(world, endpoint, delivered=300)
        begun = time.monotonic()
        token = (await preview(notify, endpoint))["token"]
        replay = (await notify.post(f"/v1/endpoints/{endpoint}/replays", json={"token": token})).json()["id"]
        stopped_at = await halfway(notify, replay)
        assert (await notify.delete(f"/v1/replays/{replay}")).json()["state"] == "stopped"
        given = (await ended(notify, replay))["replayed"]
        assert stopped_at <= given < 300
        assert given <= (time.monotonic() - begun + 1) * world.settings.notify_replay_per_s
        await counted(world, endpoint, delivered=300)
        assert len(receiver.received) == 300 + given
        # As if a process had been killed: the replay is there, running, at its place.
        await world.store.collection("replays").update_one({"_id": replay}, {"$set": {"state": "running"}})
        assert (await ended(notify, replay))["replayed"] == 300
        received = await receiver.until(lambda found: len(found) == 600)
        assert {len([one for one in received if one.sequence == n]) for n in range(1, 301)} == {2}


async def test_a_replay_goes_on_after_kill_9_and_repeats_only_what_was_in_flight(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    killed = asyncio.Event()

    async def answer(_: Delivered) -> int:
        if len(receiver.received) > FIRST + BEFORE:
            await killed.wait()
        return 204

    async with receiving(answer) as receiver, process(world, "notify-replays") as other:
        endpoint = await endpoint_in(await other.leads(), register, receiver, notify)
        await world.publish(*(joined() for _ in range(FIRST)))
        await receiver.until(lambda found: len(found) == FIRST)
        await counted(world, endpoint, delivered=FIRST)
        token = (await preview(notify, endpoint))["token"]
        replay = (await notify.post(f"/v1/endpoints/{endpoint}/replays", json={"token": token})).json()["id"]
        await receiver.until(lambda found: len(found) == FIRST + BEFORE + IN_FLIGHT)
        await counted(world, endpoint, delivered=BEFORE, made=2)
        await other.kill()
        killed.set()
        assert (await ended(notify, replay))["replayed"] == FIRST
        await counted(world, endpoint, delivered=FIRST, made=2)
        received = list(receiver.received)
    assert len(received) == 2 * FIRST + IN_FLIGHT
    assert {one.sequence for one in received} == set(range(1, FIRST + 1))


async def test_however_often_one_is_sent_again_its_log_stays_within_what_a_document_holds(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def refuse(_: Delivered) -> web.StreamResponse:
        return web.Response(status=500, body=b"\xff" * 16 * 1024)

    async with receiving(refuse) as receiver:
        endpoint = await register(receiver, "member-joined")
        await world.publish(joined())
        (one,) = await all_in(notify, endpoint, "exhausted", 1)
        log = world.store.collection("deliveries")
        earlier = {"at_ms": 1, "status": 500, "duration_ms": 1.0, "failure": "status", "said": "\ufffd" * 16 * 1024}
        for count in (170, 166):  # together with its own three not a place is left in 16 MiB
            await log.update_one({"_id": one["id"]}, {"$push": {"attempts": {"$each": [earlier] * count}}})
        await replayed(notify, endpoint, delivery_id=one["id"])
        await receiver.until(lambda found: len(found) == 6)
        await all_in(notify, endpoint, "exhausted", 1)
        shown = (await notify.get(f"/v1/deliveries/{one['id']}")).json()
        assert len(shown["attempts"]) == MOST_ATTEMPTS
        assert shown["attempts"][-1]["at"] > shown["attempts"][0]["at"]


async def test_skipping_gives_up_what_waits_and_only_that(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving(in_turn(200, 429)) as receiver:
        endpoint = await register(receiver, "member-joined")
        await world.publish(joined())
        (done,) = await all_in(notify, endpoint, "delivered", 1)
        assert (await notify.post(f"/v1/endpoints/{endpoint}/pause")).status_code == 200
        await world.publish(joined())
        (waits,) = await all_in(notify, endpoint, "waiting", 1)
        skipped = await notify.post(f"/v1/deliveries/{waits['id']}/skip")
        assert (skipped.status_code, skipped.json()["state"]) == (200, "dropped")
        for one in (waits, done):
            assert (await notify.post(f"/v1/deliveries/{one['id']}/skip")).status_code == 409
        stranger = world.caller("endpoints:write", "endpoints:read", subject="stranger")
        assert (await notify.post(f"/v1/deliveries/{done['id']}/skip", headers=stranger)).status_code == 404


async def test_skipping_the_one_that_blocks_its_subject_lets_the_others_go_on(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def answer(delivered: Delivered) -> int:
        return 500 if delivered.sequence == 1 else 200

    async with receiving(answer) as receiver:
        endpoint = await register(receiver, "member-*", ordered=True)
        join = joined()
        await world.publish(join, *(about(MemberLeft(reason_code="self"), join.envelope.subject) for _ in range(2)))
        (blocks,) = await all_in(notify, endpoint, "exhausted", 1)
        await all_in(notify, endpoint, "waiting", 2)
        assert (await notify.post(f"/v1/deliveries/{blocks['id']}/skip")).json()["state"] == "dropped"
        assert [one["sequence"] for one in await all_in(notify, endpoint, "delivered", 2)] == [2, 3]
        assert (await notify.post(f"/v1/deliveries/{blocks['id']}/skip")).status_code == 409


async def halfway(notify: httpx.AsyncClient, replay: str) -> int:
    """How many a replay has given out, once it has given out some."""
    async with asyncio.timeout(90):
        while not (found := (await notify.get(f"/v1/replays/{replay}")).json()["replayed"]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return int(found)


async def counted(world: World, endpoint: str, delivered: int, made: int = 1) -> None:
    """Returns when so many of the endpoint's deliveries are delivered, each by at least `made` attempts."""
    wanted = {"endpoint": endpoint, "state": "delivered", "made": {"$gte": made}}
    async with asyncio.timeout(90):
        while await world.store.collection("deliveries").count_documents(wanted) != delivered:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
