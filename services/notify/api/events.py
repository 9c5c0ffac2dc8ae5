"""The operation by which an endpoint's owner pulls what was sent, to fill a gap."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.notify.desk import Desk
from services.notify.log import Log
from services.notify.shown_log import EventsPulled, pulled_shown
from shared.web.auth import Caller, require
from shared.web.problems import problems
from shared.web.routes import json_response, router

_MOST_NUMBER = 2**53


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
            responses=problems(404),
            operation_id="pull-events",
            summary="What an endpoint got or is to get, by rising sequence number, with the numbers that are missing",
            description="At most `limit` events and 8 MiB of payloads at a time. Nothing changes by it: what waits is "
            "still delivered, under the same `webhook-id`.",
        )(self.pull)
        return api

    async def pull(
        self,
        endpoint: Annotated[str, Query(description="The endpoint's id.", min_length=1, max_length=64)],
        after: Annotated[
            int, Query(ge=0, le=_MOST_NUMBER, description="The last number that you have; those above it come.")
        ] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        found = await self._desk.show(endpoint, caller)
        return json_response(pulled_shown(await self._log.pull(found, after, limit, caller)))
