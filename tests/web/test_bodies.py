"""A request body is bounded, of the media type that the operation takes, UTF-8 and strict JSON."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.conftest import Tokens
from tests.web.test_problems import problem_of

MIB = 1 << 20
TYPED = {"Content-Type": "application/json"}


def note_of(size: int) -> bytes:
    """A valid body of exactly `size` bytes."""
    return b'{"text": "' + b"x" * (size - 12) + b'"}'


async def test_a_body_of_one_mebibyte_is_taken(client: httpx.AsyncClient, bearer: Tokens) -> None:
    answer = await client.post("/v1/notes", content=note_of(MIB), headers=bearer("members:write") | TYPED)
    assert answer.status_code == 201


async def test_a_byte_more_is_413(client: httpx.AsyncClient, bearer: Tokens) -> None:
    headers = bearer("members:write") | TYPED
    problem_of(await client.post("/v1/notes", content=note_of(MIB + 1), headers=headers), 413)


async def test_a_body_without_a_length_is_bounded_too(client: httpx.AsyncClient, bearer: Tokens) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    answer = await client.post("/v1/notes", content=chunks(), headers=bearer("members:write") | TYPED)
    problem_of(answer, 413)


async def test_an_import_may_have_sixteen(client: httpx.AsyncClient, bearer: Tokens) -> None:
    headers = bearer("members:write", "history:write") | {"Content-Type": "text/csv; charset=utf-8"}
    answer = await client.post("/v1/notes:import", content=b"x" * 16 * MIB, headers=headers)
    assert answer.json() == {"bytes": 16 * MIB}
    answer = await client.post("/v1/notes:import", content=b"x" * (16 * MIB + 1), headers=headers)
    problem_of(answer, 413)


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/json; charset=shift_jis", "x"])
async def test_another_media_type_is_415(client: httpx.AsyncClient, bearer: Tokens, media_type: str) -> None:
    headers = bearer("members:write") | {"Content-Type": media_type}
    problem_of(await client.post("/v1/notes", content=b'{"text": "a"}', headers=headers), 415)


async def test_no_media_type_is_415(client: httpx.AsyncClient, bearer: Tokens) -> None:
    problem_of(await client.post("/v1/notes", content=b'{"text": "a"}', headers=bearer("members:write")), 415)


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=UTF-8"])
async def test_json_goes_by_its_names(client: httpx.AsyncClient, bearer: Tokens, media_type: str) -> None:
    headers = bearer("members:write") | {"Content-Type": media_type}
    answer = await client.post("/v1/notes", content=b'{"text": "a"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"text": "a",}',
        b'{"text": "a", "stars": NaN}',
        b'{"text": "a", "stars": Infinity}',
        b'{"text": "a", "stars": 1e999}',
        b'{"text": "\\ud800"}',
        b"[" * 100_000 + b"]" * 100_000,
        b"\xef\xbb\xbf{}",
    ],
)
async def test_what_is_not_strict_json_is_400(client: httpx.AsyncClient, bearer: Tokens, body: bytes) -> None:
    answer = await client.post("/v1/notes", content=body, headers=bearer("members:write") | TYPED)
    assert problem_of(answer, 400)["type"] == "urn:kairan:problem:not-json"


@pytest.mark.parametrize("body", [b'{"text": "a", "text": "a"}', b'{"text": [{"a": 1, "\\u0061": 2}]}'])
async def test_a_key_that_stands_twice_is_400(client: httpx.AsyncClient, bearer: Tokens, body: bytes) -> None:
    answer = await client.post("/v1/notes", content=body, headers=bearer("members:write") | TYPED)
    assert problem_of(answer, 400)["type"] == "urn:kairan:problem:ambiguous-json"


@pytest.mark.parametrize("media_type", ["application/json", "text/csv"])
async def test_what_is_not_utf_8_is_400(client: httpx.AsyncClient, bearer: Tokens, media_type: str) -> None:
    path = "/v1/notes" if media_type == "application/json" else "/v1/notes:import"
    headers = bearer("members:write", "history:write") | {"Content-Type": media_type}
    answer = await client.post(path, content='{"text": "山田"}'.encode("shift_jis"), headers=headers)
    assert problem_of(answer, 400)["type"] == "urn:kairan:problem:not-utf-8"


async def test_no_body_where_one_is_needed_is_422(client: httpx.AsyncClient, bearer: Tokens) -> None:
    headers = bearer("members:write", "history:write")
    problem_of(await client.post("/v1/notes", headers=headers), 422)
    problem_of(await client.post("/v1/notes:import", headers=headers), 422)
