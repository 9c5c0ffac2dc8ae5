"""The HTTP API of notify."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.notify.address_guard import Guard
from services.notify.domain import NewEndpoint, check_patterns
from services.notify.exchange import accepted, version
from services.notify.lookup import Lookup
from services.notify.outcome import DeliveryState
from services.notify.pairwise import KEY_BYTES
from services.notify.registry import Registry
from services.notify.requests import (
    REGISTER,
    DeliveryList,
    EndpointList,
    EndpointShown,
    Registered,
    Registering,
)
from services.notify.signing import new_secret
from services.notify.store import NotifyStore
from services.notify.target import Forbidden
from services.notify.vault import Vault
from shared.bus.command import Outcome, Refused
from shared.store.mongo import Document
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, key_of, said, takes
from shared.web.problems import Problem, problems
from shared.web.routes import json_response, router

_DELETED_SINCE = Refused(
    409, "endpoint-deleted", "The endpoint was deleted", "It was made with this key and deleted since; use a new key."
)
_NO_ENDPOINT = Refused(404, "no-such-endpoint", "No such endpoint", "There is no endpoint with this id.")


class EndpointsApi:
    """The operations on endpoints and the log of their deliveries. `changed` is called after each change."""

    def __init__(
        self,
        store: NotifyStore,
        registry: Registry,
        vault: Vault,
        guard: Guard,
        lookup: Lookup,
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._registry = registry
        self._vault = vault
        self._guard = guard
        self._lookup = lookup
        self._changed = changed

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
            summary="Be told of events by webhook; the answer shows the signing secret, once",
        )(self.create)
        api.get(
            "/endpoints",
            response_model=EndpointList,
            operation_id="endpoints",
            summary="All endpoints, without their secrets",
        )(self.list)
        api.get(
            "/endpoints/{endpoint_id}",
            response_model=EndpointShown,
            responses=problems(404),
            operation_id="endpoint",
            summary="An endpoint, without its secret",
        )(self.show)
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
            responses=problems(404),
            operation_id="resume-endpoint",
            summary="Deliver again, after a pause or after the endpoint was disabled",
        )(self.resume)
        api.get(
            "/deliveries",
            response_model=DeliveryList,
            operation_id="deliveries",
            summary="The log: deliveries and their attempts, the newest first; never a payload",
        )(self.deliveries)
        return api

    async def create(self, request: Request, caller: Caller = require("endpoints:write")) -> Response:
        wanted = await said(request, Registering)
        if wanted.identifiers == "real":
            caller.demand("endpoints:trusted")
        check_patterns(wanted.event_types)
        url = await self._checked(wanted.url)
        wish = NewEndpoint(
            url=url,
            event_types=tuple(dict.fromkeys(wanted.event_types)),
            identifiers=wanted.identifiers,
            secrets=(self._vault.seal(new_secret().encode()),),
            pairwise_key=self._vault.seal(secrets.token_bytes(KEY_BYTES)),
            created_ms=int(time.time() * 1000),
        )
        outcome = await self._registry.create(wish, await key_of(request, caller))
        # Read back, because a repeat must show the secret of the first time.
        endpoint = await self._store.endpoint(outcome.resource_id)
        if endpoint is None or not endpoint["secrets"]:
            raise _DELETED_SINCE
        self._changed()
        secret = self._vault.open(endpoint["secrets"][-1]).decode()
        return json_response({"id": outcome.resource_id, "version": version(outcome.version), "secret": secret}, 201)

    async def list(self, caller: Caller = require("endpoints:read")) -> Response:
        return json_response({"endpoints": [_shown(one) for one in await self._store.endpoints()]})

    async def show(self, endpoint_id: str, caller: Caller = require("endpoints:read")) -> Response:
        endpoint = await self._store.endpoint(endpoint_id)
        if endpoint is None or endpoint["state"] == "deleted":
            raise _NO_ENDPOINT
        return json_response(_shown(endpoint))

    async def delete(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return self._accepted(await self._registry.delete(endpoint_id, await key_of(request, caller)))

    async def pause(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return self._accepted(await self._registry.pause(endpoint_id, await key_of(request, caller)))

    async def resume(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return self._accepted(await self._registry.resume(endpoint_id, await key_of(request, caller)))

    async def deliveries(
        self,
        endpoint: Annotated[str | None, Query(description="Only this endpoint's.", max_length=64)] = None,
        state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        found = await self._store.log(endpoint, state, limit)
        return json_response({"deliveries": [_delivery(one) for one in found]})

    async def _checked(self, url: str) -> str:
        """The URL as it will be dialled; 422 when refused. A public name without an address may get one."""
        try:
            target = self._guard.target(url)
            try:
                await self._guard.addresses(target, self._lookup)
            except Forbidden:
                raise
            except OSError:
                private = self._guard.needs_private(target)
                if private is not None:
                    raise Forbidden("parse", private) from None
        except Forbidden as refusal:
            raise Problem(
                422,
                "The URL is not allowed",
                f"{refusal.reason[0].upper()}{refusal.reason[1:]}.",
                "forbidden-url",
                stage=refusal.stage,
                reason=refusal.reason,
            ) from None
        return target.url

    def _accepted(self, outcome: Outcome) -> Response:
        self._changed()
        return accepted(outcome)


def _shown(endpoint: Document) -> dict[str, object]:
    return {
        "id": endpoint["_id"],
        "version": version(endpoint["version"]),
        **{name: endpoint[name] for name in ("url", "event_types", "identifiers", "state", "reason")},
        "created_at": _moment(endpoint["created_ms"]),
    }


def _delivery(found: Document) -> dict[str, object]:
    return {
        "id": found["_id"],
        "endpoint_id": found["endpoint"],
        **{name: found[name] for name in ("sequence", "event_type", "event_id", "state", "planned_at")},
        "next_attempt_at": _moment(found["next_at_ms"]) if found["state"] == "waiting" else None,
        "attempts": [
            {
                "at": _moment(attempt["at_ms"]),
                "status": attempt["status"],
                "duration_ms": attempt["duration_ms"],
                "error": attempt["failure"],
            }
            for attempt in found["attempts"]
        ],
    }


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
