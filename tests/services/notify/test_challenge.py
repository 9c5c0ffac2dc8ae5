"""Where the operator demands it, an endpoint hears nothing until its receiver has answered a signed challenge."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from aiohttp import web

from tests.journeys.talk import until
from tests.services.notify.receiver import Delivered, in_turn, receiving
from tests.services.notify.world import World, joined

CHALLENGE = "kairan.endpoint-challenge.v1"


async def echo(told: Delivered) -> web.StreamResponse:
    return web.json_response({"challenge": told.event.get("challenge")})


async def as_text(told: Delivered) -> web.StreamResponse:
    return web.Response(text=f"{told.event.get('challenge')}\n")


async def another_word(_: Delivered) -> web.StreamResponse:
    return web.json_response({"challenge": "x"})


async def no_word(_: Delivered) -> web.StreamResponse:
    return web.json_response({"challenge": None})


async def the_word_and_an_error(told: Delivered) -> web.StreamResponse:
    return web.json_response({"challenge": told.event["challenge"]}, status=500)


@pytest.fixture(scope="module")
async def strict(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.running("notify-strict", notify_challenge="required") as client:
        yield client


async def made(client: httpx.AsyncClient, url: str) -> tuple[str, dict[str, Any]]:
    answer = await client.post("/v1/endpoints", json={"url": url, "event_types": ["member-joined"]})
    assert answer.status_code == 201, answer.text
    return f"/v1/endpoints/{answer.json()['id']}", answer.json()


async def state(client: httpx.AsyncClient, place: str, wanted: str) -> None:
    async def look() -> str:
        return str((await client.get(place)).json()["state"])

    await until(look, lambda found: found == wanted)


async def test_a_receiver_that_answers_is_active_and_another_url_has_to_answer_too(
    strict: httpx.AsyncClient, world: World
) -> None:
    async with receiving(echo) as receiver, receiving(as_text) as other:
        place, answer = await made(strict, receiver.url)
        await state(strict, place, "active")
        (asked,) = receiver.received
        assert (asked.event["type"], asked.event["endpoint_id"]) == (CHALLENGE, answer["id"])
        receiver.secret = other.secret = answer["secret"]
        assert (await strict.post(f"{place}/test")).status_code == 202
        await receiver.until(lambda found: len(found) == 2)
        assert (await strict.patch(place, json={"url": other.url})).status_code == 200
        await state(strict, place, "active")

        async def tested() -> set[str]:
            # A replica that sends may take a second to hear of the other URL.
            assert (await strict.post(f"{place}/test")).status_code == 202
            return {one.event["type"] for one in other.received}

        await until(tested, lambda found: found == {CHALLENGE, "kairan.endpoint-test.v1"})
        assert (await strict.delete(place)).status_code == 200


@pytest.mark.parametrize("answer", [in_turn(204), in_turn(404), another_word, no_word, the_word_and_an_error])
async def test_a_receiver_that_does_not_answer_hears_nothing_until_it_does(
    strict: httpx.AsyncClient, world: World, answer: Any
) -> None:
    async with receiving(answer) as receiver:
        place, shown = await made(strict, receiver.url)
        refused = await strict.post(f"{place}/verify")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:kairan:problem:unverified")
        for command in ("pause", "resume", "test"):
            refused = await strict.post(f"{place}/{command}")
            assert (refused.status_code, refused.json()["type"]) == (409, "urn:kairan:problem:endpoint-unverified")
        assert (await strict.get(place)).json()["state"] == "unverified"
        receiver.secret, receiver.answer = shown["secret"], echo
        key = {"Idempotency-Key": str(uuid.uuid4())}
        for _ in range(2):
            assert (await strict.post(f"{place}/verify", headers=key)).status_code == 200
        assert (await strict.get(place)).json()["state"] == "active"
        assert {one.event["type"] for one in receiver.received} == {CHALLENGE}
        assert (await strict.delete(place)).status_code == 200


async def test_an_unverified_endpoint_gets_no_delivery_planned(strict: httpx.AsyncClient, world: World) -> None:
    async with receiving(in_turn(204)) as silent, receiving(echo) as witness:
        place, _ = await made(strict, silent.url)
        seen, _ = await made(strict, witness.url)
        await state(strict, seen, "active")
        await world.publish(joined())
        await witness.until(lambda found: any(one.event["type"] != CHALLENGE for one in found))
        log = await strict.get("/v1/deliveries", params={"endpoint": place.rpartition("/")[2]})
        assert log.json()["deliveries"] == []
        for one in (place, seen):
            assert (await strict.delete(one)).status_code == 200
