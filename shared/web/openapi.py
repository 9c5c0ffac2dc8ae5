"""The OpenAPI document of a service: problems instead of FastAPI's own errors, and the scopes in the bearer scheme."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from shared.web.auth import COOKIE
from shared.web.idempotency import DESCRIPTION
from shared.web.problems import PROBLEM_SCHEMA, problems
from shared.web.routes import accepted_types, gates
from shared.web.scopes import SCOPES

_COOKIE = {
    "type": "apiKey",
    "in": "cookie",
    "name": COOKIE,
    "description": "The session of a browser that came by a one-time link.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once; every problem that the shared guards may answer is added to each operation."""
    if app.openapi_schema is None:
        app.openapi_schema = _build(app)
    return app.openapi_schema


def _build(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    operations = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    if any(gate.cookie for route in operations for gate in gates(route)):
        components["securitySchemes"]["cookie"] = _COOKIE
    if "bearer" in components.get("securitySchemes", {}):
        components["securitySchemes"]["bearer"]["description"] = _scopes_in_words()
    for route in operations:
        for method in route.methods or ():
            _complete(found["paths"][route.path_format][method.lower()], route)
    return found


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    responses = operation.setdefault("responses", {})
    default = responses.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if default.get("$ref", "").endswith("HTTPValidationError"):
        del responses["422"]
    statuses = {500, 503}
    needed = gates(route)
    if needed:
        statuses |= {401, 403}
    if any(gate.cookie for gate in needed):
        operation["security"].append({"cookie": sorted({scope for gate in needed for scope in gate.scopes})})
    if needed and route.methods and route.methods & {"POST", "PATCH", "DELETE"}:
        operation["description"] = "\n\n".join(filter(None, (operation.get("description"), DESCRIPTION)))
        statuses |= {400, 422}
    if accepted_types(route):
        statuses |= {400, 413, 415, 422}
    if operation.get("parameters"):
        statuses |= {400, 422}
    for status, response in problems(*sorted(statuses)).items():
        responses.setdefault(str(status), response)


def _scopes_in_words() -> str:
    lines = [f"- `{scope}`: {meaning}" for scope, meaning in SCOPES.items()]
    return "A JWT (audience `kairan`) whose `scope` names what it allows:\n\n" + "\n".join(lines)
