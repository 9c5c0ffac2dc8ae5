"""The operations on the log of deliveries."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.notify.desk import owner_of
from services.notify.outcome import DeliveryState
from services.notify.shown import DeliveryList, delivery_shown
from services.notify.store import NotifyStore
from shared.web.auth import Caller, require
from shared.web.routes import json_response, router


class DeliveriesApi:
    """Reads the log for owners."""

    def __init__(self, store: NotifyStore) -> None:
        self._store = store

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["deliveries"], prefix="/v1")
        api.get(
            "/deliveries",
            response_model=DeliveryList,
            operation_id="deliveries",
            summary="The log: deliveries and their attempts, the newest first; never a payload",
        )(self.deliveries)
        return api

    async def deliveries(
        self,
        endpoint: Annotated[str | None, Query(description="Only this endpoint's.", max_length=64)] = None,
        state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        caller: Caller = require("endpoints:read"),
    ) -> Response:
        found = await self._store.log(endpoint, state, limit, owner=owner_of(caller))
        return json_response({"deliveries": [delivery_shown(one) for one in found]})
