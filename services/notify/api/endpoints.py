"""The operations on webhook endpoints."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.notify.desk import Desk
from services.notify.exchange import accepted
from services.notify.nesting import said
from services.notify.requests import CHANGE, REGISTER, ROTATE, Changing, Registering, Rotating
from services.notify.shown import (
    Audit,
    EndpointList,
    EndpointShown,
    Registered,
    audit_shown,
    endpoint_shown,
    issued_shown,
)
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, key_of, takes
from shared.web.problems import problems
from shared.web.routes import json_response, router


class EndpointsApi:
    """Who calls, and with which words; the desk does it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["endpoints"], prefix="/v1")
        api.post(
            "/endpoints",
            status_code=201,
            response_model=Registered,
            responses=problems(409),
            openapi_extra=takes(Registering, REGISTER),
            operation_id="create-endpoint",
            summary="Be told of events by webhook or in a chat; the answer shows a webhook's signing secret, once",
        )(self.create)
        api.get(
            "/endpoints",
            response_model=EndpointList,
            operation_id="endpoints",
            summary="Your endpoints, without their secrets",
        )(self.list)
        api.get(
            "/endpoints/{endpoint_id}",
            response_model=EndpointShown,
            responses=problems(404),
            operation_id="endpoint",
            summary="An endpoint, without its secret",
        )(self.show)
        api.patch(
            "/endpoints/{endpoint_id}",
            response_model=Accepted,
            responses=problems(404),
            openapi_extra=takes(Changing, CHANGE),
            operation_id="update-endpoint",
            summary="Change what is named in the body; null sets the default again",
        )(self.update)
        api.delete(
            "/endpoints/{endpoint_id}",
            response_model=Accepted,
            responses=problems(404),
            operation_id="delete-endpoint",
            summary="Be told no more; what waits is dropped, the secret is forgotten",
        )(self.delete)
        api.post(
            "/endpoints/{endpoint_id}/pause",
            response_model=Accepted,
            responses=problems(404, 409),
            operation_id="pause-endpoint",
            summary="Let deliveries wait",
        )(self.pause)
        api.post(
            "/endpoints/{endpoint_id}/resume",
            response_model=Accepted,
            responses=problems(404, 409),
            operation_id="resume-endpoint",
            summary="Deliver again, after a pause or after the endpoint was disabled",
        )(self.resume)
        api.post(
            "/endpoints/{endpoint_id}/rotate",
            response_model=Registered,
            responses=problems(404, 409),
            openapi_extra=takes(Rotating, ROTATE, optional=True),
            operation_id="rotate-secret",
            summary="Sign with another secret, which the answer shows, once; the former ones sign on for a while",
        )(self.rotate)
        api.post(
            "/endpoints/{endpoint_id}/verify",
            response_model=Accepted,
            responses=problems(404, 409),
            operation_id="verify-endpoint",
            summary="Ask the receiver a challenge; an endpoint that waited for it is active once it has answered",
        )(self.verify)
        api.get(
            "/endpoints/{endpoint_id}/audit",
            response_model=Audit,
            responses=problems(404),
            operation_id="audit-endpoint",
            summary="Who changed what of an endpoint, and when, newest first; kept for 90 days",
        )(self.audit)
        return api

    async def create(self, request: Request, caller: Caller = require("endpoints:write")) -> Response:
        wanted = await said(request, Registering)
        return json_response(issued_shown(await self._desk.create(wanted, caller, await key_of(request, caller))), 201)

    async def list(self, caller: Caller = require("endpoints:read")) -> Response:
        return json_response({"endpoints": [endpoint_shown(one) for one in await self._desk.list(caller)]})

    async def show(self, endpoint_id: str, caller: Caller = require("endpoints:read")) -> Response:
        return json_response(endpoint_shown(await self._desk.show(endpoint_id, caller)))

    async def update(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        wanted = await said(request, Changing)
        return accepted(await self._desk.update(endpoint_id, wanted, caller, await key_of(request, caller)))

    async def delete(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return accepted(await self._desk.delete(endpoint_id, caller, await key_of(request, caller)))

    async def pause(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return accepted(await self._desk.pause(endpoint_id, caller, await key_of(request, caller)))

    async def resume(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return accepted(await self._desk.resume(endpoint_id, caller, await key_of(request, caller)))

    async def rotate(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        wanted = await said(request, Rotating, optional=True)
        issued = await self._desk.rotate(endpoint_id, wanted, caller, await key_of(request, caller))
        return json_response(issued_shown(issued))

    async def verify(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return accepted(await self._desk.verify(endpoint_id, caller, await key_of(request, caller)))

    async def audit(
        self,
        endpoint_id: str,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        return json_response(audit_shown(await self._desk.audit(endpoint_id, limit, caller)))
