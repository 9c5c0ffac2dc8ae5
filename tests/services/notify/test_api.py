"""The API of endpoints: who may, what is taken, what is shown, and that a repeat is answered alike."""

import base64
import uuid

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.address_guard import Guard
from services.notify.requests import PLAIN_URL
from services.notify.target import MAX_URL
from tests.services.notify.world import DISCLOSURE, World

EXAMPLE = {"url": "https://hooks.example.com/kairan", "event_types": ["member-joined", "session-*"]}


async def create(notify: httpx.AsyncClient, **fields: object) -> httpx.Response:
    return await notify.post("/v1/endpoints", json={**EXAMPLE, **fields})


async def test_an_endpoint_is_created_shown_listed_and_deleted(notify: httpx.AsyncClient) -> None:
    created = await create(notify)
    assert created.status_code == 201
    answer = created.json()
    assert set(answer) == {"id", "version", "secret"}
    assert answer["version"] == 1
    assert len(base64.b64decode(answer["secret"].removeprefix("whsec_"))) == 24
    shown = await notify.get(f"/v1/endpoints/{answer['id']}")
    assert shown.status_code == 200
    assert shown.json() | EXAMPLE | {"identifiers": "pairwise", "state": "active", "reason": None} == shown.json()
    assert shown.json() in (await notify.get("/v1/endpoints")).json()["endpoints"]
    for told in (shown.text, (await notify.get("/v1/endpoints")).text):
        assert "whsec_" not in told
    deleted = await notify.delete(f"/v1/endpoints/{answer['id']}")
    assert (deleted.status_code, deleted.json()) == (200, {"id": answer["id"], "version": 2})
    for again in (
        await notify.get(f"/v1/endpoints/{answer['id']}"),
        await notify.delete(f"/v1/endpoints/{answer['id']}"),
    ):
        assert again.status_code == 404
        assert again.headers["content-type"] == "application/problem+json"


async def test_the_same_key_gives_the_same_answer_with_the_secret(notify: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = [await notify.post("/v1/endpoints", json=EXAMPLE, headers=key) for _ in range(2)]
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    other = await notify.post("/v1/endpoints", json={**EXAMPLE, "event_types": ["*"]}, headers=key)
    assert other.status_code == 422


async def test_a_repeat_after_the_endpoint_was_deleted_says_so(notify: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = (await notify.post("/v1/endpoints", json=EXAMPLE, headers=key)).json()["id"]
    assert (await notify.delete(f"/v1/endpoints/{made}")).status_code == 200
    repeat = await notify.post("/v1/endpoints", json=EXAMPLE, headers=key)
    assert (repeat.status_code, repeat.json()["type"]) == (409, "urn:kairan:problem:endpoint-deleted")


@settings(max_examples=100)
@given(st.from_regex(PLAIN_URL).filter(lambda url: len(url) <= MAX_URL and not url.endswith("\n")))
def test_every_url_that_the_document_describes_is_taken(url: str) -> None:
    assert Guard().target(url).url.isascii()


async def test_secrets_and_keys_are_stored_encrypted(notify: httpx.AsyncClient, world: World) -> None:
    answer = (await create(notify)).json()
    stored = await world.store.collection("endpoints").find_one({"_id": answer["id"]})
    assert answer["secret"].removeprefix("whsec_") not in repr(stored)
    assert all(sealed.startswith("gAAAA") for sealed in (stored["secrets"][0]["sealed"], stored["pairwise_key"]))


async def test_real_ids_need_the_scope_for_them(notify: httpx.AsyncClient, world: World) -> None:
    body = {**EXAMPLE, "identifiers": "real", "disclosure": DISCLOSURE}
    plain = world.caller("endpoints:write")
    assert (await notify.post("/v1/endpoints", json=body, headers=plain)).status_code == 403
    assert (await notify.post("/v1/endpoints", json=EXAMPLE, headers=plain)).status_code == 201
    assert (await create(notify, identifiers="real", disclosure=DISCLOSURE)).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/endpoints"), ("POST", "/v1/endpoints"), ("GET", "/v1/deliveries")]
)
async def test_without_a_token_or_its_scope(notify: httpx.AsyncClient, world: World, method: str, path: str) -> None:
    body = EXAMPLE if method == "POST" else None
    nobody = await notify.request(method, path, json=body, headers={"Authorization": ""})
    stranger = await notify.request(method, path, json=body, headers=world.caller("growth:read"))
    assert (nobody.status_code, stranger.status_code) == (401, 403)
    assert nobody.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("url", "stage", "reason"),
    [
        ("http://hooks.example.com/", "parse", "plain http"),
        ("https://169.254.169.254/latest/meta-data/", "parse", "link-local"),
        ("https://[::ffff:127.0.0.1]/", "parse", "IPv4-mapped"),
        ("https://10.0.0.3/", "parse", "private"),
        ("https://kafka:9092/", "parse", "port 9092"),
        ("https://user:pass@hooks.example.com/", "parse", "password"),
        ("https://hooks.example.com/%0d%0aX:1", "parse", "control"),
        ("not a url", "parse", "space"),
    ],
)
async def test_a_forbidden_url_is_refused_with_stage_and_reason(
    notify: httpx.AsyncClient, url: str, stage: str, reason: str
) -> None:
    refused = await create(notify, url=url)
    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "urn:kairan:problem:forbidden-url"
    assert problem["stage"] == stage
    assert reason in problem["reason"]


async def test_ordinary_japanese_in_a_path_passes(notify: httpx.AsyncClient) -> None:
    created = await create(notify, url="https://hooks.example.com/通知/名前?宛先=課長")
    assert created.status_code == 201
    shown = (await notify.get(f"/v1/endpoints/{created.json()['id']}")).json()
    assert shown["url"].startswith("https://hooks.example.com/%E9%80%9A")


async def test_a_pattern_that_fits_no_event_is_refused_with_the_names(notify: httpx.AsyncClient) -> None:
    refused = await create(notify, event_types=["member-joined", "membr-*"])
    assert refused.status_code == 422
    assert "membr-*" in refused.json()["detail"]
    assert "session-held" in refused.json()["detail"]
    assert (await create(notify, event_types=["call-*"])).status_code == 201


@pytest.mark.parametrize(
    "fields",
    [
        {"event_types": []},
        {"event_types": ["*"] * 101},
        {"event_types": ["Member-Joined"]},
        {"event_types": ["member.*"]},
        {"event_types": "member-joined"},
        {"identifiers": "none"},
        {"url": ""},
        {"colour": "red"},
    ],
)
async def test_what_is_no_endpoint_is_refused(notify: httpx.AsyncClient, fields: dict[str, object]) -> None:
    refused = await create(notify, **fields)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"


async def test_pausing_and_resuming(notify: httpx.AsyncClient) -> None:
    endpoint = (await create(notify)).json()["id"]
    for command, state in (("pause", "paused"), ("pause", "paused"), ("resume", "active")):
        assert (await notify.post(f"/v1/endpoints/{endpoint}/{command}")).status_code == 200
        assert (await notify.get(f"/v1/endpoints/{endpoint}")).json()["state"] == state
    assert (await notify.post(f"/v1/endpoints/{uuid.uuid4()}/pause")).status_code == 404


async def test_the_log_takes_only_sensible_questions(notify: httpx.AsyncClient) -> None:
    assert (await notify.get("/v1/deliveries", params={"state": "lost"})).status_code == 422
    assert (await notify.get("/v1/deliveries", params={"limit": 0})).status_code == 422
    for wrong in ({"status": "60x"}, {"error": "rain"}, {"from": "yesterday"}, {"after": "here"}, {"event_type": "A"}):
        assert (await notify.get("/v1/deliveries", params=wrong)).status_code == 422
    answer = (await notify.get("/v1/deliveries", params={"endpoint": "nobody"})).json()
    assert answer == {"deliveries": [], "next": None, "partial": False}


async def test_every_example_of_the_document_works_as_it_stands(notify: httpx.AsyncClient) -> None:
    document = (await notify.get("/openapi.json")).json()
    made = (await create(notify)).json()["id"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"]
            assert operation["security"]
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body:
                said = body["example"]
                if "token" in said:
                    preview = await notify.post(f"/v1/endpoints/{made}/replays/preview", json={})
                    said = {**said, "token": preview.json()["token"]}
                answer = await notify.request(method, path.format(endpoint_id=made), json=said)
                assert answer.is_success, answer.text


async def test_an_endpoint_is_its_owners(notify: httpx.AsyncClient, world: World) -> None:
    made = (await create(notify, description="for the newsletter")).json()["id"]
    scopes = ("endpoints:read", "endpoints:write")
    stranger = world.caller(*scopes, subject="stranger")
    admin = world.caller(*scopes, "endpoints:admin", subject="admin")
    place = f"/v1/endpoints/{made}"
    assert (await notify.get(place, headers=stranger)).status_code == 404
    assert (await notify.delete(place, headers=stranger)).status_code == 404
    assert made not in (await notify.get("/v1/endpoints", headers=stranger)).text
    shown = (await notify.get(place, headers=admin)).json()
    assert (shown["owner"], shown["description"]) == ("tester", "for the newsletter")
    assert made in (await notify.get("/v1/endpoints", headers=admin)).text
    assert (await notify.delete(place, headers=admin)).status_code == 200
