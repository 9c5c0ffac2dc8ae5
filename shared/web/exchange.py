"""How a command travels over HTTP: its body and key in, its answer out, and its place in the OpenAPI document."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from shared.bus.command import IdempotencyKey, Outcome
from shared.web.auth import Caller
from shared.web.idempotency import HEADER, checked_key, request_hash
from shared.web.routes import JSON, json_response

Said = TypeVar("Said", bound=BaseModel)


class Accepted(BaseModel):
    """The answer to a command: what it was about and how many facts are known of it now. Nothing personal."""

    id: str
    version: Annotated[int, Field(ge=1)]


async def said(request: Request, model: type[Said], *, optional: bool = False) -> Said:
    """The request's body as a `model`, read from its bytes in one step; 422 names the field, never the value.

    With `optional` no body at all says what the model's defaults say.
    """
    body = await request.body()
    try:
        return model.model_validate_json(body or (b"{}" if optional else b""))
    except ValidationError as error:
        raise invalid(error, "body") from None


def invalid(error: ValidationError, place: str) -> RequestValidationError:
    """The 422 of a model's error, without the values that caused it."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return RequestValidationError([{**fault, "loc": (place, *fault["loc"])} for fault in faults])


async def key_of(request: Request, caller: Caller) -> IdempotencyKey | None:
    """The caller's `Idempotency-Key` with the hash of this request; None without one. 400 for one that is malformed."""
    key = checked_key(request.headers.get(HEADER))
    if key is None:
        return None
    query = request.scope["query_string"].decode("latin-1")
    place = f"{request.scope['path']}?{query}" if query else request.scope["path"]
    return IdempotencyKey(caller.subject, key, request_hash(await request.body(), request.method, place))


def accepted(outcome: Outcome) -> Response:
    """The answer to a command; the same for a repeat."""
    return json_response({"id": outcome.resource_id, "version": outcome.version}, outcome.status)


def takes(model: type[BaseModel], example: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
    """The OpenAPI of an operation whose body is a `model`: `example` works as it stands."""
    return _takes(_without_references(model.model_json_schema()), example, required=not optional)


def takes_one_of(models: Sequence[type[BaseModel]], example: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI of an operation whose body is one of these models."""
    schemas = [_without_references(model.model_json_schema()) for model in models]
    return _takes({"anyOf": schemas}, example, required=True)


def _takes(schema: dict[str, Any], example: dict[str, Any], *, required: bool) -> dict[str, Any]:
    return {"requestBody": {"required": required, "content": {JSON: {"schema": schema, "example": example}}}}


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema with every `#/$defs/NAME` replaced by what it names, so that it can stand anywhere."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(one) for one in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            rest = {name: value for name, value in part.items() if name != "$ref"}
            return {**resolved(definitions[part["$ref"].rpartition("/")[2]]), **rest}
        return {name: resolved(value) for name, value in part.items()}

    found: dict[str, Any] = resolved(schema)
    return found
