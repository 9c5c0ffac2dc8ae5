"""One join, all the way: from the HTTP request to the log, the figures, the ledger, a webhook and the open page."""

import asyncio
import json
import re
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from kairan.stack.stack import Stack
from shared.catalogue import Event, MemberJoined, decode
from shared.clock import JST, hour_floor, jst_midnight
from tests.journeys.talk import PATIENCE_S, Visitor, until
from tests.services.notify.receiver import Receiver, receiving, verify

JOINED_AT = hour_floor(datetime.now(UTC)) - timedelta(hours=2, minutes=20)
PUBLISHED_AT = JOINED_AT - timedelta(hours=1, minutes=15)

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Journey:
    """What the visitor did, in this order: an endpoint, one join, and only then the magazine that had brought it."""

    receiver: Receiver
    secret: str
    member: str
    magazine: str


@pytest.fixture(scope="module")
async def journey(visitor: Visitor) -> AsyncIterator[Journey]:
    async with receiving() as receiver:
        wish = {"url": receiver.url, "event_types": ["member-joined", "archive-*"]}
        endpoint = await visitor.ask("POST", "notify", "/v1/endpoints", "endpoints:write", json=wish)
        member = await visitor.join(source="publication", reason="to_learn", occurred_at=JOINED_AT.isoformat())
        issue = {
            "kind": "magazine_issue",
            "title": {"ja": "回覧 夏号", "en": "Kairan, summer issue"},
            "occurred_at": PUBLISHED_AT.isoformat(),
        }
        magazine = await visitor.ask("POST", "events", "/v1/archives", "archives:write", "history:write", json=issue)
        yield Journey(receiver, endpoint["secret"], member, magazine["id"])


async def read(visitor: Visitor, path: str) -> Any:
    return await visitor.ask("GET", "metrics", path, "growth:read")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_the_same_key_joins_once(visitor: Visitor) -> None:
    """Voided in the end, so that the figures of this file stay those of one join."""
    key = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"source": "search", "joined_precision": "unknown"}
    scopes = ("members:write", "history:write")
    first = await visitor.ask("POST", "membership", "/v1/members", *scopes, json=body, headers=key)
    assert first == {"id": first["id"], "version": 1}
    assert await visitor.ask("POST", "membership", "/v1/members", *scopes, json=body, headers=key) == first
    other = {**body, "source": "other"}
    await visitor.ask("POST", "membership", "/v1/members", *scopes, json=other, headers=key, expected=422)
    await visitor.ask("POST", "membership", f"/v1/members/{first['id']}/void", "members:write")


async def test_the_log_has_it_under_its_key(stack: Stack, journey: Journey) -> None:
    async with AIOKafkaConsumer(
        "kairan.member", bootstrap_servers=stack.bootstrap, group_id=None, auto_offset_reset="earliest"
    ) as log:
        about = (one async for one in log if one.key == journey.member.encode())
        async with asyncio.timeout(PATIENCE_S):
            found = await anext(about)
    event = decode(found.topic, found.key, found.value, found.headers, wanted=None)
    assert isinstance(event, Event)
    assert isinstance(event.data, MemberJoined)
    assert (event.envelope.subject, event.envelope.aggregate_version) == (journey.member, 1)
    assert (event.envelope.time, event.data.source) == (JOINED_AT, "publication")
    assert event.envelope.recorded_time > JOINED_AT


async def test_it_is_counted_in_its_hour(visitor: Visitor, journey: Journey) -> None:
    hour = hour_floor(JOINED_AT)
    asked = f"/v1/joins?by=hour&from={hour:%Y-%m-%dT%H:%M:%SZ}&to={hour + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    answer = await until(lambda: read(visitor, asked), lambda found: any(row["joins"] for row in found["rows"]))
    assert [(moment(row["from"]), row["joins"]) for row in answer["rows"]] == [
        (hour, 1),
        (hour + timedelta(hours=1), 0),
    ]
    assert moment(answer["as_of"]) > JOINED_AT


async def test_it_is_counted_on_its_day_in_japan(visitor: Visitor, journey: Journey) -> None:
    day = JOINED_AT.astimezone(JST).date()
    asked = f"/v1/joins?by=day&from={day}&to={day + timedelta(days=1)}"
    answer = await until(lambda: read(visitor, asked), lambda found: any(row["joins"] for row in found["rows"]))
    (row,) = answer["rows"]
    assert row["joins"] == 1
    assert moment(row["from"]) == jst_midnight(day)
    assert row["from"].endswith("+09:00")


async def test_members_are_one_more_from_then_on(visitor: Visitor, journey: Journey) -> None:
    before = f"{hour_floor(JOINED_AT):%Y-%m-%dT%H:%M:%SZ}"
    after = f"{hour_floor(JOINED_AT) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    await until(lambda: read(visitor, f"/v1/members?as_of={after}"), lambda found: found["members"] == 1)
    assert (await read(visitor, f"/v1/members?as_of={before}"))["members"] == 0


async def test_the_ledger_has_the_late_magazine_and_its_join(visitor: Visitor, journey: Journey) -> None:
    answer = await until(
        lambda: read(visitor, "/v1/publications"),
        lambda found: [row["observed"] for row in found["publications"]] == [1],
    )
    (row,) = answer["publications"]
    assert (row["id"], row["kind"]) == (journey.magazine, "magazine_issue")
    assert moment(row["published_at"]) == PUBLISHED_AT
    assert moment(row["window_from"]) == hour_floor(PUBLISHED_AT)
    assert moment(row["window_to"]) == moment(answer["as_of"])
    assert (row["complete"], row["verdict"], row["alarm_at"]) == (False, "too_little_data", None)
    assert row["extra"] == pytest.approx(row["observed"] - row["expected"], abs=0.002)
    assert 0 <= row["low"] <= row["high"]


async def test_a_receiver_hears_of_both_signed_and_without_the_real_id(journey: Journey) -> None:
    received = await journey.receiver.until(lambda found: len({one.id for one in found}) >= 2)
    for delivered in received:
        verify(journey.secret, delivered)
    joined = next(one.event for one in received if one.event["type"] == "kairan.member-joined.v1")
    assert moment(joined["time"]) == JOINED_AT
    assert joined["data"]["reason"] == "to_learn"
    assert journey.member not in json.dumps(joined), "pairwise by default"
    (published,) = (one.event for one in received if one.event["type"] == "kairan.archive-published.v1")
    assert published["subject"] == journey.magazine


async def test_the_open_page_hears_of_the_next_join_and_shows_it(stack: Stack, journey: Journey) -> None:
    """As a browser: in by the one-time link, cookie, page, server-sent events, the fragment that is swapped in."""
    async with httpx.AsyncClient(
        base_url=stack.urls["metrics"], timeout=PATIENCE_S, headers={"Accept": "text/html", "Accept-Language": "en"}
    ) as browser:
        await browser.get(stack.page_link, follow_redirects=True)
        page = await until(lambda: browser.get("/"), lambda page: "Kairan, summer issue" in page.text)
        shown = int(re.search(r'data-revision="(\d+)"', page.text)[1])
        async with browser.stream("GET", f"/v1/stream?after={shown}") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
                await Visitor(stack, http).join(source="broadcast")
            async with asyncio.timeout(PATIENCE_S):
                revision = await revision_with(stream, members=2)
        assert revision > shown
        fragment = await browser.get(f"/fragment?lang=en&revision={revision}")
        assert "2 members" in fragment.text
        async with browser.stream("GET", "/v1/stream", headers={"Last-Event-ID": str(shown)}) as stream:
            async with asyncio.timeout(PATIENCE_S):
                again = await revision_with(stream, members=2)
        assert again >= revision, "a reader who comes back gets what it missed"


async def test_a_laptop_listens_with_an_endpoint_of_its_own(stack: Stack, visitor: Visitor) -> None:
    """`kairan listen --endpoint`: made, heard, verified, and gone with the command. The last here: it adds a join."""
    command = (sys.executable, "-m", "kairan.cli.main", "listen", "member-*", "--endpoint", "--port", "0", "--json")
    listen = await asyncio.create_subprocess_exec(
        *command, "--home", str(stack.home.root), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert listen.stdout is not None
        assert listen.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            said = b""
            while b"its secret: whsec_" not in said:
                line = await listen.stderr.readline()
                assert line, said
                said += line
            await visitor.join(source="search")
            heard = json.loads(await listen.stdout.readline())
            assert (heard["verified"], heard["answered"], heard["attempt"]) == (True, 204, 1)
            assert heard["event"]["data"]["source"] == "search"
            listen.terminate()
            out, err = await listen.communicate()
        assert (listen.returncode, out) == (0, b"")
        assert b"deleted" in err
    finally:
        if listen.returncode is None:
            listen.kill()
            await listen.wait()
    left = await visitor.ask("GET", "notify", "/v1/endpoints", "endpoints:read", "endpoints:admin")
    assert heard["type"] == "kairan.member-joined.v1"
    assert not any("member-*" in one["event_types"] for one in left["endpoints"])


async def revision_with(stream: httpx.Response, *, members: int) -> int:
    """The id of the first event of the ledger that counts so many members."""
    last = 0
    async for line in stream.aiter_lines():
        if line.startswith("id:"):
            last = int(line.removeprefix("id:"))
        if line.startswith("data:") and json.loads(line.removeprefix("data:"))["members"] == members:
            return last
    raise AssertionError("the stream ended")
