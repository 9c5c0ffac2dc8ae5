"""What every service's `app.py` composes: its routes, its parts and its health into one application."""

import asyncio
import functools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.settings import ServiceSettings
from shared.web import openapi
from shared.web.auth import COOKIE, SessionLookup, Verifier
from shared.web.edge import Edge
from shared.web.health import Check, Health
from shared.web.lifecycle import Heartbeat, Lifecycle, Part
from shared.web.problems import Problem, on_error

__all__ = ["Part", "ServiceApp", "build_app"]

VERSION = "1.0.0"
STOP_PARTS_WITHIN_S = 5.0


@dataclass(frozen=True)
class ServiceApp:
    """A composed service, ready for `shared.web.serve.run`.

    `stopping` is set when the process has been told to stop: streams and long polls watch it and end.
    `ops` serves /metrics and /health/* alone.
    """

    name: str
    settings: ServiceSettings
    app: FastAPI
    ops: Starlette
    lifecycle: Lifecycle
    health: Health
    stopping: asyncio.Event
    verifier: Verifier | None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FastAPI]:
        """The application with its parts started: for tests and for servers that bring their own sockets."""
        try:
            await self.lifecycle.start()
            yield self.app
        finally:
            self.stopping.set()
            await self.stop()

    async def stop(self) -> None:
        """Stop the parts, and let go of the issuer of tokens."""
        await self.lifecycle.stop(STOP_PARTS_WITHIN_S)
        if self.verifier is not None:
            await self.verifier.close()


def build_app(
    settings: ServiceSettings,
    *,
    name: str,
    title: str,
    routers: Sequence[APIRouter],
    parts: Sequence[Part] = (),
    health: Health | None = None,
    verifier: Verifier | None = None,
    sessions: SessionLookup | None = None,
    cookie: str = COOKIE,
    description: str = "",
    stopping: asyncio.Event | None = None,
) -> ServiceApp:
    """Compose a service. `name` is membership, events, notify or metrics; `routers` are `shared.web.routes.router`s.

    Routes are served as they stand, in order; dependencies of an application come by closure or `request.app.state`.
    """
    health = health or Health()
    stopping = stopping or asyncio.Event()
    lifecycle = Lifecycle([Heartbeat(health), *parts])
    health.add_ready("process", lambda: Check(lifecycle.started and not stopping.is_set(), _phase(lifecycle, stopping)))
    ops_routes: list[BaseRoute] = [Route("/metrics", _metrics, include_in_schema=False), *health.routes()]
    app = FastAPI(
        title=title,
        version=VERSION,
        description=description,
        routes=[route for router in routers for route in router.routes] + _contracts(name),
        openapi_url=None,
        redirect_slashes=False,
        middleware=[Middleware(Edge, started=lambda: lifecycle.started)],
        exception_handlers=dict.fromkeys((Problem, HTTPException, RequestValidationError), on_error),
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan,
    )
    if settings.ops_bind is None:
        app.router.routes.extend(ops_routes)
    service = ServiceApp(name, settings, app, Starlette(routes=ops_routes), lifecycle, health, stopping, verifier)
    app.state.service = service
    app.state.verifier = verifier
    app.state.sessions = sessions
    app.state.cookie = cookie
    app.state.stopping = stopping
    return service


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with app.state.service.running():
        yield


def _phase(lifecycle: Lifecycle, stopping: asyncio.Event) -> dict[str, Any]:
    return {"phase": "stopping" if stopping.is_set() else "serving" if lifecycle.started else "starting"}


def _contracts(name: str) -> list[BaseRoute]:
    """/openapi.json and /asyncapi.yaml, made once on first demand."""

    @functools.cache
    def asyncapi_document() -> str:
        from shared.catalogue import asyncapi  # only who asks pays for it

        return asyncapi(name)

    async def openapi_json(request: Request) -> Response:
        return Response(orjson.dumps(openapi.document(request.app)), media_type="application/json")

    async def asyncapi_yaml(_: Request) -> Response:
        return Response(asyncapi_document(), media_type="application/yaml")

    return [
        Route("/openapi.json", openapi_json, include_in_schema=False),
        Route("/asyncapi.yaml", asyncapi_yaml, include_in_schema=False),
    ]


async def _metrics(_: Request) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
