"""Hostile input is refused when it is configured, with a clear answer, and never met at delivery."""

import json
from typing import Any

import httpx
import pytest

URL = "http://127.0.0.1:9/kairan"
JSON = {"Content-Type": "application/json"}


def body(**fields: Any) -> str:
    return json.dumps({"url": URL, "event_types": ["member-joined"], **fields})


def nested(depth: int) -> str:
    return '{"not": ' * depth + '{"path": "a", "equals": 1}' + "}" * depth


async def endpoints(notify: httpx.AsyncClient) -> set[str]:
    return {one["id"] for one in (await notify.get("/v1/endpoints")).json()["endpoints"]}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (body().replace("{", '{"url": "https://example.com/", ', 1), 400),
        (body(filter={"path": "a", "equals": 1}).replace('"equals": 1', '"equals": 1, "equals": 2'), 400),
        (body(in_flight=0).replace('"in_flight": 0', '"in_flight": NaN'), 400),
        (body(filter={"path": "a", "equals": 0}).replace('"equals": 0', '"equals": -Infinity'), 400),
        (body(filter={"path": "a", "equals": 0}).replace('"equals": 0', '"equals": 1e400'), 400),
        (body(filter=0).replace('"filter": 0', f'"filter": {nested(17)}'), 422),
        (body(filter=0).replace('"filter": 0', f'"filter": {nested(200)}'), 400),
        (body(filter=0).replace('"filter": 0', f'"filter": {nested(5_000)}'), 400),
        (body(filter=0).replace('"filter": 0', '"filter": ' + "[" * 100_000), 400),
        (body(filter={"path": "a", "equals": 10**30}), 422),
        (body(filter={"path": "a", "equals": "0"}).replace('"0"', '"\\ud800"'), 400),
        (body(filter={"path": "a", "prefix": "x" * 9000}), 422),
        (body(description="x\r\nwebhook-id: 1"), 422),
        (body(description="x" * 300_000), 422),
        (body(description="x" * 1_100_000), 413),
        (body(url="https://hooks.example.com/\r\nX-Injected: 1"), 422),
        (body(url="https://hooks.example.com/%0d%0aX-Injected:1"), 422),
        (body(headers={"webhook-id": "msg_forged"}), 422),
        (body(headers={"Host": "internal"}), 422),
        (body(secret="whsec_" + "A" * 32 + "\r\n"), 422),
        (body(event_types=["member joined"]), 422),
        (body(event_types=["member-joined\r\n"]), 422),
        (body(event_types=["kairan.member-joined.v1"]), 422),
        ("\ufeff" + body(), 400),
        ("null", 422),
        ("", 422),
    ],
)
async def test_hostile_bodies_are_refused(notify: httpx.AsyncClient, text: str, status: int) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    before = await endpoints(notify)
    answer = await notify.post("/v1/endpoints", content=raw, headers=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert len(answer.content) < 5_000
    assert await endpoints(notify) == before


@pytest.mark.parametrize("endpoint", ["x" * 10_000, "..%2f..%2fadmin", "%00", "a%0d%0ab", "{$ne:1}", "名"])
async def test_hostile_ids_are_simply_not_there(notify: httpx.AsyncClient, endpoint: str) -> None:
    assert (await notify.get(f"/v1/endpoints/{endpoint}")).status_code == 404
    assert (await notify.post(f"/v1/endpoints/{endpoint}/test")).status_code == 404
    assert (await notify.patch(f"/v1/endpoints/{endpoint}", json={"description": "x"})).status_code == 404
