"""How an operation is served: who calls is settled before the body is read, and the body is bounded, typed JSON."""

from collections.abc import Awaitable, Callable, Collection
from email.message import Message
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from shared.strict_json import Ambiguous, strict_json
from shared.web.auth import Require
from shared.web.direct import direct
from shared.web.idempotency import HEADER, checked_key
from shared.web.problems import Problem, as_problem

BODY_LIMIT = 1 << 20
"""Bytes of a request body, unless the operation says `max_body_size=`."""
IMPORT_BODY_LIMIT = 16 << 20
"""Bytes of a request body for an import: `@router.post(..., max_body_size=IMPORT_BODY_LIMIT)`."""

JSON = "application/json"
_READS_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Handler = Callable[[Request], Awaitable[Response]]


class _GuardedRequest(Request):
    """A request whose body has been read and judged; FastAPI takes the parsed JSON from here."""

    parsed: Any = None

    async def json(self) -> Any:
        """The body as JSON."""
        return self.parsed


class Operation(APIRoute):
    """A route of an API. Its order: token (401, 403), `Idempotency-Key` (400), size (413), media type (415), text and
    JSON (400), fields (422).

    The body's bytes stay at `await request.body()`, for the request's hash.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **said: Any) -> None:
        # Kept from FastAPI, whose own limit would answer in plain text.
        self.body_limit: int = said.pop("max_body_size", None) or BODY_LIMIT
        super().__init__(path, endpoint, **said)

    def get_route_handler(self) -> Callable[[Request], Any]:
        """FastAPI's handler behind the guards."""
        serve = direct(self.dependant) or super().get_route_handler()
        gates = list(_gates(self.dependant))
        accepts = accepted_types(self)
        needs_body = bool((self.openapi_extra or {}).get("requestBody", {}).get("required"))
        reads_body = bool(_READS_BODY & (self.methods or set()))

        async def guarded(request: Request) -> Response:
            guarded_request = _GuardedRequest(request.scope, request.receive)
            try:
                for gate in gates:
                    await gate(guarded_request)
                if reads_body:
                    checked_key(request.headers.get(HEADER))
                    await _read(guarded_request, self.body_limit, accepts)
                    if needs_body and not guarded_request._body:
                        raise Problem(422, "The request is not valid", "The body is missing.", "invalid-request")
                return await serve(guarded_request)
            except Exception as error:
                problem = as_problem(error)
                if problem is None:
                    raise
                return problem.response()

        return guarded


def router(tags: list[str] | None = None, prefix: str = "") -> APIRouter:
    """An empty router whose routes are `Operation`s; every service declares its API on one of these."""
    return APIRouter(route_class=Operation, tags=list(tags or []), prefix=prefix, redirect_slashes=False)


def json_response(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON: dicts, lists, dataclasses, datetimes, UUIDs and enums as orjson writes them."""
    return Response(orjson.dumps(content, option=orjson.OPT_UTC_Z), status, headers, JSON)


def accepted_types(route: APIRoute) -> frozenset[str]:
    """The media types of an operation's body: those its `openapi_extra` names, else what its parameters say."""
    named = (route.openapi_extra or {}).get("requestBody", {}).get("content")
    if named:
        return frozenset(named)
    if route.body_field is None:
        return frozenset()
    return frozenset({getattr(route.body_field.field_info, "media_type", JSON)})


def gates(route: APIRoute) -> list[Require]:
    """The `require` dependencies of an operation, also those of its router."""
    return list(_gates(route.dependant))


def _gates(dependant: Dependant) -> list[Require]:
    own = [dependant.call] if isinstance(dependant.call, Require) else []
    return [*own, *(gate for part in dependant.dependencies for gate in _gates(part))]


async def _read(request: _GuardedRequest, limit: int, accepts: Collection[str]) -> None:
    body = await _bounded(request, limit)
    request._body = body
    if not body or not accepts:
        return
    media_type = _media_type(request.headers.get("content-type", ""))
    if media_type not in accepts:
        allowed = ", ".join(sorted(accepts))
        raise Problem(415, "Unsupported media type", f"Send {allowed}.", "media-type", headers={"Accept": allowed})
    if media_type == JSON:
        request.parsed = _parsed(body)
    elif media_type.startswith("text/"):
        _text(body)


async def _bounded(request: Request, limit: int) -> bytes:
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> Problem:
    # The connection stays open: closing it on unread bytes would take the answer away from who is still sending.
    return Problem(413, "Content too large", f"At most {limit} bytes.", "too-large")


def _media_type(header: str) -> str:
    if header == JSON:
        return JSON
    message = Message()
    message["content-type"] = header
    charset = message.get_content_charset("utf-8")
    return message.get_content_type() if header and charset in {"utf-8", "us-ascii"} else ""


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Problem(400, "The body is not UTF-8", f"Byte {error.start} is not.", "not-utf-8") from None


def _parsed(body: bytes) -> Any:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        _text(body)
        detail = f"{error.msg} (line {error.lineno}, column {error.colno}). NaN and Infinity are not JSON."
        raise Problem(400, "The body is not JSON", detail, "not-json") from None
    _refuse_ambiguous(body)
    return found


def _refuse_ambiguous(body: bytes) -> None:
    # orjson takes the last of two equal keys without a word.
    try:
        strict_json(body)
    except Ambiguous as twice:
        raise Problem(400, "The body is ambiguous", f"{twice}.".capitalize(), "ambiguous-json") from None
    except RecursionError:
        raise Problem(400, "The body is ambiguous", "It is nested too deep.", "ambiguous-json") from None
