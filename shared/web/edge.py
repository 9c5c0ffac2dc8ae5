"""The outermost layer of a service, plain ASGI: times requests, carries the caller's trace, answers the unforeseen."""

import time
from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry import tracing
from shared.telemetry.metrics import HTTP_SECONDS
from shared.web.problems import Problem, as_problem, internal_error, log_unforeseen

ALWAYS_SERVED = ("/health/", "/metrics", "/openapi.json", "/asyncapi.yaml")


class Edge:
    """Middleware around a service's application; until `started()` it serves only what needs no parts."""

    def __init__(self, app: ASGIApp, started: Callable[[], bool]) -> None:
        self._app = app
        self._started = started
        self._timers: dict[tuple[str, str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        seen = _Seen(send)
        try:
            await self._traced(scope, receive, seen)
        except Exception as error:
            if seen.status:
                raise  # the answer is half out: the server closes the connection and logs
            problem = as_problem(error)
            if problem is None:
                log_unforeseen(error, method=scope["method"], route=_route(scope))
                problem = internal_error()
            await problem.response()(scope, receive, seen)
        finally:
            if seen.status and not seen.streams:
                self._timer(scope, seen.status).observe(time.perf_counter() - began)

    async def _traced(self, scope: Scope, receive: Receive, seen: "_Seen") -> None:
        if not self._started() and not scope["path"].startswith(ALWAYS_SERVED):
            raise Problem(503, "Service unavailable", "It is starting.", "starting", headers={"Retry-After": "1"})
        traceparent = _header(scope, b"traceparent")
        if tracing.is_collecting():
            with tracing.span_from(traceparent, scope["method"], SpanKind.SERVER) as span:
                await self._app(scope, receive, seen)
                span.update_name(f"{scope['method']} {_route(scope)}")
                span.set_attribute("http.response.status_code", seen.status)
            return
        parent = tracing.context_from(traceparent)
        if parent is not None:
            otel_context.attach(parent)  # the request has a task, and so a context, of its own
        await self._app(scope, receive, seen)

    def _timer(self, scope: Scope, status: int) -> Histogram:
        key = (scope["method"], _route(scope), status)
        timer = self._timers.get(key)
        if timer is None:
            method = key[0] if key[0] in _METHODS else "other"
            timer = self._timers[key] = HTTP_SECONDS.labels(method, key[1], str(status))
        return timer


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Seen:
    """A `send` that remembers the status, and whether the answer is a stream of events."""

    __slots__ = ("_send", "status", "streams")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.streams = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.streams = any(
                name == b"content-type" and value.startswith(b"text/event-stream") for name, value in message["headers"]
            )
        await self._send(message)


def _route(scope: Scope) -> str:
    """The template of the route, so that no id becomes a label."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "unmatched"


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value, "latin-1")
    return None
