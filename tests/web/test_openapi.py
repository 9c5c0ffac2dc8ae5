"""The OpenAPI document says what the guards do: scopes, keys, problems."""

from typing import Any

import httpx
import pytest

from shared.web.scopes import SCOPES


@pytest.fixture(scope="module")
async def document(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_each_operation_names_its_scopes(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/v1/notes"]["post"]["security"] == [{"bearer": ["members:write"]}]
    assert paths["/v1/notes:import"]["post"]["security"] == [{"bearer": ["members:write", "history:write"]}]
    assert paths["/v1/page"]["get"]["security"] == [{"bearer": ["growth:read"]}, {"cookie": ["growth:read"]}]


def test_the_schemes_are_described_with_all_scopes(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["bearer"]["type"] == "http"
    assert schemes["cookie"] == schemes["cookie"] | {"type": "apiKey", "in": "cookie", "name": "kairan_session"}
    assert all(f"`{scope}`" in schemes["bearer"]["description"] for scope in SCOPES)


def test_commands_describe_their_idempotency_key_and_queries_have_none(document: dict[str, Any]) -> None:
    for path, method in (("/v1/notes", "post"), ("/v1/notes/{note_id}", "delete"), ("/v1/notes:import", "post")):
        operation = document["paths"][path][method]
        assert "`Idempotency-Key`" in operation["description"]
        assert {"400", "422"} <= set(operation["responses"])
    assert "Idempotency-Key" not in str(document["paths"]["/v1/notes/{note_id}"]["get"])


def test_no_operation_has_the_key_as_a_parameter_for_generators_to_repeat(document: dict[str, Any]) -> None:
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = {parameter["name"] for operation in operations for parameter in operation.get("parameters", ())}
    assert names == {"note_id", "page"}


def test_errors_are_problems_everywhere(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            errors = {status: r for status, r in operation["responses"].items() if status >= "400"}
            assert {"401", "403", "500", "503"} <= set(errors)
            for response in errors.values():
                assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {"400", "409", "413", "415", "422"} <= set(document["paths"]["/v1/notes"]["post"]["responses"])


async def test_the_asyncapi_document_of_the_service_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/asyncapi.yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert answer.text.startswith("asyncapi: 3.")
    assert "kairan.member" in answer.text
