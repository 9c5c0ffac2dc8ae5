"""The client of the APIs, against a small real server: it repeats what was not answered, with the same key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kairan.year.settled import NotSettled, Sent, settle
from kairan.year.speaker import NotAccepted, Speaker

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
AS_OF = datetime(2022, 3, 31, 15, tzinfo=UTC)


@asynccontextmanager
async def speaking_to(handler: Handler) -> AsyncIterator[Speaker]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handler)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        async with Speaker({"events": url, "metrics": url}, lambda: "secret", "a-prefix-of-16-chars") as speaker:
            yield speaker


async def test_a_command_is_repeated_with_its_key_until_it_is_answered() -> None:
    keys = []

    async def handler(request: web.Request) -> web.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return web.Response(status=503)
        if len(keys) == 2:
            assert request.transport is not None
            request.transport.abort()
        assert request.headers["Authorization"] == "Bearer secret"
        assert await request.json() == {"a": 1}
        return web.json_response({"id": "x", "version": 1}, status=201)

    async with speaking_to(handler) as speaker:
        assert await speaker.say("events", "/v1/sessions", {"a": 1, "b": None}, "first") == "x"
    assert keys == ["a-prefix-of-16-chars-first"] * 3


async def test_a_refusal_is_not_repeated_and_says_why() -> None:
    asked = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.json_response({"title": "Never"}, status=409)

    async with speaking_to(handler) as speaker:
        with pytest.raises(NotAccepted, match=r"events refused POST /v1/clock: 409 .*Never"):
            await speaker.say("events", "/v1/clock", {}, "first")
    assert asked == 1


async def test_a_refused_row_of_a_list_is_named() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.content_type == "text/csv"
        rows = [{"line": 2, "status": "created"}, {"line": 3, "status": "refused", "detail": "joins twice"}]
        return web.json_response({"imported": 1, "refused": 1, "rows": rows})

    async with speaking_to(handler) as speaker:
        with pytest.raises(NotAccepted, match="refused 1 rows; line 3: joins twice"):
            await speaker.bring("events", "/v1/members:import", "a,b\n", "first")


def ledger(revision: int, joins: int, as_of: str | None = "2022-03-31T15:00:00Z") -> dict[str, Any]:
    return {"as_of": as_of, "revision": revision, "joins": joins, "publications": [{}]}


async def test_a_ledger_has_settled_when_it_knows_all_that_was_sent() -> None:
    answers = [ledger(1, 5, None), ledger(2, 9), ledger(3, 10)]

    async def handler(request: web.Request) -> web.Response:
        return web.json_response(answers.pop(0))

    async with speaking_to(handler) as speaker:
        assert await settle(speaker, Sent(AS_OF, joins=10, publications=1)) == ledger(3, 10)
    assert not answers


async def test_a_ledger_that_stands_still_says_what_is_missing() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.json_response(ledger(1, 9, None))

    async with speaking_to(handler) as speaker:
        with pytest.raises(NotSettled) as caught:
            await settle(speaker, Sent(AS_OF, joins=10, publications=2), stuck_s=0.3)
    for words in ("as of nothing yet, not 2022-03-31T15:00:00", "9 joins, not 10", "1 publications, not 2"):
        assert words in str(caught.value)
