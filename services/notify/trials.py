"""What owners try out with their endpoints, whoever asks for it: the API and the portal."""

from collections.abc import Sequence
from dataclasses import replace

from services.notify.desk import Desk, check_filter, check_wishes
from services.notify.dry_run import Tried, tried
from services.notify.endpoint import Endpoints
from services.notify.recent import Recent
from services.notify.requests import Trying
from shared.web.auth import Caller


class Trials:
    """Each method raises Refused or Problem in words for the caller."""

    def __init__(self, desk: Desk, endpoints: Endpoints, recent: Recent) -> None:
        self._desk = desk
        self._endpoints = endpoints
        self._recent = recent

    async def dry_run(self, endpoint_id: str, wanted: Trying, caller: Caller) -> Sequence[Tried]:
        """Which of the last 100 events of the log the endpoint would have heard; nothing is sent or changed."""
        fields = wanted.model_dump(exclude_unset=True)
        check_wishes(fields)
        (endpoint,) = self._endpoints.of([await self._desk.show(endpoint_id, caller)])
        if "filter" in fields:
            condition = None if wanted.filter is None else check_filter(wanted.filter)
            endpoint = replace(endpoint, condition=condition)
        if wanted.event_types:
            endpoint = replace(endpoint, event_types=tuple(wanted.event_types))
        return tried(await self._recent.events(), endpoint)
