"""Every class of error is a problem document with the right status, and tells nothing that it should not."""

import httpx
import pytest

from tests.web.conftest import Tokens

NOTE = {"text": "hello"}


def problem_of(answer: httpx.Response, status: int) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"] == "about:blank" or str(body["type"]).startswith("urn:kairan:problem:")
    return body


async def test_an_unknown_path_is_404(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/nowhere"), 404)


async def test_a_trailing_slash_is_another_path(client: httpx.AsyncClient) -> None:
    problem_of(await client.get("/v1/notes/known/"), 404)


async def test_a_wrong_method_is_405_and_names_all_methods_of_the_path(client: httpx.AsyncClient) -> None:
    answer = await client.put("/v1/notes/known")
    problem_of(answer, 405)
    assert answer.headers["allow"] == "DELETE, GET"


async def test_a_raised_problem_keeps_its_extra_members(client: httpx.AsyncClient, bearer: Tokens) -> None:
    body = problem_of(await client.get("/v1/notes/other", headers=bearer("members:read")), 404)
    assert body["type"] == "urn:kairan:problem:no-note"
    assert body["note"] == "other"


async def test_a_refusal_of_the_domain_is_its_problem(client: httpx.AsyncClient, bearer: Tokens) -> None:
    body = problem_of(await client.delete("/v1/notes/known", headers=bearer("members:write")), 409)
    assert body["type"] == "urn:kairan:problem:already-there"
    assert body["detail"] == "There is one of that name."


async def test_invalid_fields_are_named_without_their_values(client: httpx.AsyncClient, bearer: Tokens) -> None:
    sent = {"text": 5, "stars": 9, "name": "Yamada Hanako"}
    answer = await client.post("/v1/notes", json=sent, headers=bearer("members:write"))
    body = problem_of(answer, 422)
    assert "Yamada" not in answer.text
    assert isinstance(body["errors"], list)
    assert [fault["loc"] for fault in body["errors"]] == [["body", "text"], ["body", "stars"], ["body", "name"]]


async def test_an_invalid_query_is_422(client: httpx.AsyncClient, bearer: Tokens) -> None:
    answer = await client.get("/v1/notes/known", params={"page": "x"}, headers=bearer("members:read"))
    problem_of(answer, 422)


async def test_an_unforeseen_error_is_500_and_keeps_its_words_to_itself(
    client: httpx.AsyncClient, bearer: Tokens
) -> None:
    answer = await client.get("/v1/broken", headers=bearer("members:read"))
    problem_of(answer, 500)
    assert "Yamada" not in answer.text


@pytest.mark.parametrize("key", ["short", "x" * 129, "with\ttab-inside-it", "schlüssel-schlüssel"])
async def test_an_idempotency_key_must_be_16_to_128_printable_characters(
    client: httpx.AsyncClient, bearer: Tokens, key: str
) -> None:
    headers = httpx.Headers(bearer("members:write"), encoding="utf-8")
    headers["Idempotency-Key"] = key
    body = problem_of(await client.post("/v1/notes", json=NOTE, headers=headers), 400)
    assert body["type"] == "urn:kairan:problem:idempotency-key"


@pytest.mark.parametrize("key", ["0123456789abcdef", "a b" * 10, "~" * 128])
async def test_a_good_key_reaches_the_operation(client: httpx.AsyncClient, bearer: Tokens, key: str) -> None:
    headers = bearer("members:write") | {"Idempotency-Key": key}
    answer = await client.post("/v1/notes", json=NOTE, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["key"] == key


async def test_the_hash_of_a_request_tells_bodies_methods_and_paths_apart() -> None:
    from shared.web.idempotency import request_hash

    same = request_hash(b"{}", "POST", "/v1/notes")
    others = {
        request_hash(b"{ }", "POST", "/v1/notes"),
        request_hash(b"{}", "DELETE", "/v1/notes"),
        request_hash(b"{}", "POST", "/v1/note"),
    }
    assert same == request_hash(b"{}", "POST", "/v1/notes")
    assert len(others | {same}) == 4


async def test_one_who_may_not_call_learns_nothing_about_the_body(client: httpx.AsyncClient, bearer: Tokens) -> None:
    problem_of(await client.post("/v1/notes", content=b"{broken"), 401)
    problem_of(await client.post("/v1/notes", content=b"{broken", headers=bearer("members:read")), 403)
