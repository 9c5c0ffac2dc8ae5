"""The operation by which an endpoint's owner pulls what was sent, to fill a gap."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from services.notify.desk import Desk
from services.notify.log import Log
from services.notify.shown_log import EventsPulled, pulled_shown
from shared.bus.command import Refused
from shared.store.mongo import Document
from shared.web.auth import Caller, require
from shared.web.problems import problems
from shared.web.routes import json_response, router

_MOST_NUMBER = 2**53
_WHICH: Final = Refused(409, "which-endpoint", "Which endpoint?", "You have none or several: name one as `endpoint`.")


class EventsApi:
    """Reads an endpoint's deliveries by their numbers."""

    def __init__(self, desk: Desk, log: Log) -> None:
        self._desk = desk
        self._log = log

    def routes(self) -> APIRouter:
        """The operation, documented."""
        api = router(tags=["deliveries"], prefix="/v1")
        api.get(
            "/events",
            response_model=EventsPulled,
            responses=problems(404, 409),
            operation_id="pull-events",
            summary="What an endpoint got or is to get, by rising sequence number, with the numbers that are missing",
            description="At most `limit` events and 8 MiB of payloads at a time. Nothing changes by it: what waits is "
            "still delivered, under the same `webhook-id`.",
        )(self.pull)
        return api

    async def pull(
        self,
        endpoint: Annotated[
            str | None, Query(description="The endpoint's id; may be left out by who has just one.", max_length=64)
        ] = None,
        after: Annotated[
            int, Query(ge=0, le=_MOST_NUMBER, description="The last number that you have; those above it come.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        found = await (self._desk.show(endpoint, caller) if endpoint is not None else self._the_one(caller))
        return json_response(pulled_shown(await self._log.pull(found, after, limit, caller)))

    async def _the_one(self, caller: Caller) -> Document:
        endpoints = await self._desk.list(caller)
        if len(endpoints) != 1:
            raise _WHICH
        return endpoints[0]
