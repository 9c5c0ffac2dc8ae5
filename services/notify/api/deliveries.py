"""The operations on the log of deliveries."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.notify.log import Log
from services.notify.outcome import DeliveryState, Failure
from services.notify.question import PLACE, STATUS, TYPE, Place, Question
from services.notify.shown_log import DeliveryList, DeliveryWhole, delivery_whole, page_shown
from shared.requests import Moment
from shared.web.auth import Caller, require
from shared.web.problems import problems
from shared.web.routes import json_response, router

_PAGED = (
    "What no index knows (a rare event type, say) is looked for among the next 5,000 deliveries; a page that ended "
    "there says `partial`, and `next` goes on. A page stays what it was when newer deliveries come."
)


class DeliveriesApi:
    """Reads the log for owners."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["deliveries"], prefix="/v1")
        api.get(
            "/deliveries",
            response_model=DeliveryList,
            operation_id="deliveries",
            summary="The log: deliveries and their attempts, the newest first; without payloads",
            description=_PAGED,
        )(self.search)
        api.get(
            "/deliveries/{delivery_id}",
            response_model=DeliveryWhole,
            responses=problems(404),
            operation_id="delivery",
            summary="A delivery with every attempt, what was answered, and its payload (7 days, its owner)",
        )(self.show)
        return api

    async def search(
        self,
        endpoint: Annotated[str | None, Query(description="Only this endpoint's.", max_length=64)] = None,
        event_type: Annotated[
            str | None, Query(description="A name, a CloudEvents type, or a pattern: `session-*`.", pattern=TYPE)
        ] = None,
        event_id: Annotated[
            str | None, Query(description="The event's `id`, as sent or as it is on the bus.", max_length=256)
        ] = None,
        delivery_id: Annotated[str | None, Query(description="The `webhook-id`.", max_length=64)] = None,
        state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
        status: Annotated[
            str | None, Query(description="With an attempt that was answered so: `500`, `5xx`.", pattern=STATUS)
        ] = None,
        error: Annotated[Failure | None, Query(description="With an attempt that failed so.")] = None,
        start: Annotated[Moment | None, Query(alias="from", description="Planned at this moment or later.")] = None,
        end: Annotated[Moment | None, Query(alias="to", description="Planned before this moment.")] = None,
        after: Annotated[str | None, Query(description="`next` of the page before.", pattern=PLACE)] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        question = Question(endpoint, event_type, event_id, delivery_id, state, status, error, start, end)
        place = None if after is None else Place.parse(after)
        return json_response(page_shown(await self._log.search(question, place, limit, caller)))

    async def show(self, delivery_id: str, caller: Caller = require("endpoints:read")) -> Response:
        return json_response(delivery_whole(await self._log.show(delivery_id, caller)))
