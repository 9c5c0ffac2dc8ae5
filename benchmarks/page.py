"""From a join to the open page: POST, acknowledgement, server-sent event, and the page's live part is fetched.

The stack has lived a year (members, a join every three hours, a publication a month), so that what stands behind the
page is of its real size.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from benchmarks.processes.load import BODY
from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from kairan.stack.stack import Stack

MOST_JOINS, FEWEST_JOINS = 240, 5
PAST = timedelta(days=365)
JOIN_EVERY, PUBLISH_EVERY = timedelta(hours=3), timedelta(days=30)
STOCK = 2_500
CALM_S = (0.05, 0.25)
SCOPES = ("members:write", "archives:write", "history:write", "growth:read")
IN_TIME_S = 30.0


@dataclass
class Seen:
    """Milliseconds, one of each for every join."""

    to_ack: list[float] = field(default_factory=list)
    ack_to_event: list[float] = field(default_factory=list)
    ack_to_page: list[float] = field(default_factory=list)
    post_to_page: list[float] = field(default_factory=list)


async def run(scale: Scale) -> Result:
    """One join at a time, each waiting until the page has shown it, then a short random pause."""
    seen = Seen()
    count = max(FEWEST_JOINS, min(MOST_JOINS, int(scale.seconds * 4)))
    services = ("membership", "events", "metrics")
    async with Stack(scale.home("page"), kafka="apache", mongo="", services=services) as stack:
        await stack.wait_ready()
        headers = {"Authorization": f"Bearer {stack.token(*SCOPES)}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
            scale.say("page: a year goes by")
            lived = await _live_a_year(http, stack)
            async with http.get(f"{stack.urls['metrics']}/v1/stream") as stream:
                boards = _boards(stream)
                await _until(boards, lived)
                scale.say(f"page: {count} joins, one at a time")
                for n in range(1, count + 1):
                    await _join(http, stack, boards, lived + n, seen)
                    await asyncio.sleep(random.uniform(*CALM_S))
    return Result("page", _figures(seen), (f"{len(seen.ack_to_page)} joins; a page fetched is /fragment, not pixels.",))


def _figures(seen: Seen) -> list[Figure]:
    figures = []
    for what, values in (
        ("acknowledged to page", seen.ack_to_page),
        ("acknowledged to event on the stream", seen.ack_to_event),
        ("request to page", seen.post_to_page),
        ("request to acknowledgement", seen.to_ack),
    ):
        goal = 250.0 if values is seen.ack_to_page else None
        figures += [
            Figure(f"{what}: p95", percentile(values, 0.95), "ms", at_most=goal),
            Figure(f"{what}: p50", percentile(values, 0.50), "ms"),
        ]
    return figures


async def _join(
    http: aiohttp.ClientSession, stack: Stack, boards: AsyncIterator[dict[str, Any]], joins: int, seen: Seen
) -> None:
    began = time.perf_counter()
    async with http.post(f"{stack.urls['membership']}/v1/members", data=BODY, headers=_JSON) as answer:
        answer.raise_for_status()
    acknowledged = time.perf_counter()
    board = await _until(boards, joins)
    told = time.perf_counter()
    async with http.get(f"{stack.urls['metrics']}/fragment?revision={board['revision']}") as fragment:
        fragment.raise_for_status()
        await fragment.read()
    shown = time.perf_counter()
    seen.to_ack.append((acknowledged - began) * 1000)
    seen.ack_to_event.append((told - acknowledged) * 1000)
    seen.ack_to_page.append((shown - acknowledged) * 1000)
    seen.post_to_page.append((shown - began) * 1000)


_JSON = {"Content-Type": "application/json"}


async def _until(boards: AsyncIterator[dict[str, Any]], joins: int) -> dict[str, Any]:
    """The first board that counts at least `joins`."""
    async with asyncio.timeout(IN_TIME_S):
        async for board in boards:
            if board["joins"] >= joins:
                return board
    raise EOFError("the stream ended")


async def _boards(stream: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    stream.raise_for_status()
    async for line in stream.content:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


async def _live_a_year(http: aiohttp.ClientSession, stack: Stack) -> int:
    """Imports members and publications of the past year; the number of joins that count as growth."""
    now = datetime.now(UTC)
    moments = [now - PAST + n * JOIN_EVERY for n in range(PAST // JOIN_EVERY)]
    rows = [f"publication,{moment.isoformat()},hour" for moment in moments]
    rows += [f"unknown,{moments[0].isoformat()},unknown"] * STOCK
    csv = "\n".join(["source,occurred_at,joined_precision", *rows]).encode()
    url = f"{stack.urls['membership']}/v1/members:import"
    async with http.post(url, data=csv, headers={"Content-Type": "text/csv"}) as answer:
        answer.raise_for_status()
        assert (await answer.json())["refused"] == 0
    for n in range(1, PAST // PUBLISH_EVERY):
        title = {"ja": f"第{n}号", "en": f"Issue {n}"}
        moment = (now - n * PUBLISH_EVERY).isoformat()
        body = {"kind": "magazine_issue", "title": title, "audience": "public", "occurred_at": moment}
        async with http.post(f"{stack.urls['events']}/v1/archives", json=body) as answer:
            answer.raise_for_status()
    return len(moments)
