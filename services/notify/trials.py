"""What owners try out with their endpoints, whoever asks for it: the API and the portal."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.notify.desk import Desk, check_filter, check_wishes
from services.notify.dry_run import Tried, tried
from services.notify.endpoint import Endpoints
from services.notify.recent import Recent
from services.notify.registry import Asked, Registry
from services.notify.requests import Trying
from services.notify.sample import sample
from services.notify.store import NotifyStore
from shared.bus.command import IdempotencyKey
from shared.clock import wall_ms
from shared.web.auth import Caller


@dataclass(frozen=True)
class Sent:
    """A test event that is on its way. `delivery_id` is its `webhook-id`, `sequence` its `webhook-sequence`."""

    delivery_id: str
    event_id: str
    sequence: int


class Trials:
    """Each method raises Refused or Problem in words for the caller."""

    def __init__(
        self, desk: Desk, registry: Registry, store: NotifyStore, endpoints: Endpoints, recent: Recent
    ) -> None:
        self._desk = desk
        self._registry = registry
        self._store = store
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

    async def test(self, endpoint_id: str, caller: Caller, key: IdempotencyKey | None) -> Sent:
        """Plans a test event for this endpoint alone; a repeat with its key plans no second one."""
        document = await self._desk.show(endpoint_id, caller)
        await self._registry.test(endpoint_id, Asked(caller.subject, key))
        event_id = str(uuid.uuid5(key.command_id, endpoint_id) if key else uuid.uuid4())
        (endpoint,) = self._endpoints.of([document])
        planned = sample(endpoint, event_id, wall_ms())
        return Sent(planned.id, event_id, await self._store.plan_one(planned, wall_ms()))
