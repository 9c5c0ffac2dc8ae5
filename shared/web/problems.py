"""Every error answer of every service: RFC 9457 problem details."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shared.telemetry.logs import describe

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:kairan:problem:"

_log = structlog.stdlib.get_logger(__name__)


class Problem(Exception):
    """An answer that says no. `slug` becomes the type `urn:kairan:problem:SLUG`; `extra` become further members.

    Nothing in it may hold a personal value of anybody but the caller: it travels to the caller, never into a log.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        slug: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{status} {slug or title}")
        self.status = status
        self.title = title
        self.detail = detail
        self.slug = slug
        self.headers = dict(headers or {})
        self.extra = extra

    def response(self) -> Response:
        """The answer as `application/problem+json`."""
        body: dict[str, Any] = {"type": problem_type(self.slug), "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        return Response(orjson.dumps(body | self.extra), self.status, self.headers, MEDIA_TYPE)


def problem_type(slug: str) -> str:
    """The URI of a slug; a URI stays as it is and nothing becomes `about:blank`."""
    if not slug:
        return "about:blank"
    return slug if ":" in slug else TYPE_PREFIX + slug


def as_problem(error: Exception) -> Problem | None:
    """The problem that an error stands for: itself, a domain's refusal, a bad request, an outage; None if unforeseen.

    A domain's refusal (`shared.bus.Refused`) is known by what it has: status, title, detail, and slug or type.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        return _plain(error)
    status, title = getattr(error, "status", None), getattr(error, "title", None)
    if isinstance(status, int) and isinstance(title, str):
        slug = getattr(error, "slug", None) or getattr(error, "type", None) or ""
        return Problem(status, title, str(getattr(error, "detail", "") or ""), str(slug))
    return _of_the_spine(error)


def unavailable(detail: str = "A part that this service needs is away. Repeat the request.") -> Problem:
    """503, with the word that repeating helps."""
    return Problem(503, "Service unavailable", detail, "unavailable", headers={"Retry-After": "1"})


def internal_error() -> Problem:
    """500, without a word about the inside."""
    return Problem(500, "Internal error", "The service failed. The failure is in its log.", "internal-error")


async def on_error(request: Request, error: Exception) -> Response:
    """The exception handler of the application, for every class of error that it foresees."""
    problem = as_problem(error)
    if problem is None:
        raise error
    if problem.status == 405:
        problem.headers["Allow"] = ", ".join(_allowed(request, problem.headers.get("Allow", "")))
    return problem.response()


def log_unforeseen(error: Exception, **fields: Any) -> None:
    """Log an unforeseen error by its type and place."""
    _log.error("request failed", **describe(error), **fields)


def _invalid(error: RequestValidationError) -> Problem:
    faults = [{"loc": list(e["loc"]), "msg": e["msg"], "type": e["type"]} for e in error.errors()]
    detail = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in faults[:3])
    return Problem(422, "The request is not valid", detail, "invalid-request", errors=faults[:50])


def _plain(error: HTTPException) -> Problem:
    title = HTTPStatus(error.status_code).phrase
    detail = error.detail if isinstance(error.detail, str) and error.detail != title else ""
    return Problem(error.status_code, title, detail, headers=error.headers)


def _allowed(request: Request, first: str) -> list[str]:
    """All methods of a path: the router itself only names those of the first route that has it."""
    methods = {m for m in first.split(", ") if m}
    for route in request.app.routes:
        pattern = getattr(route, "path_regex", None)
        if pattern is not None and pattern.match(request.scope["path"]):
            methods |= getattr(route, "methods", None) or set()
    return sorted(methods)


def _of_the_spine(error: Exception) -> Problem | None:
    """What bus, catalogue and store may raise at a command; imported late: problems are spoken of without them too."""
    from shared.bus.command import Overloaded
    from shared.catalogue.errors import TooLarge
    from shared.store.mongo import is_infrastructure

    if isinstance(error, TooLarge):
        return Problem(413, "Content too large", "An event of this command would exceed 256 KiB.", "too-large")
    return unavailable() if isinstance(error, Overloaded) or is_infrastructure(error) else None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of an operation that may answer with these problem statuses."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "What kind of problem: about:blank or urn:kairan:problem:…"},
        "title": {"type": "string", "description": "The kind of problem in words."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What went wrong this time, and what to do."},
        "errors": {
            "type": "array",
            "description": "With 422: what is wrong where.",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}
