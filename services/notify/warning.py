"""Tells the bus that an endpoint has been failing: after an hour and after a day, once each, whoever says it."""

import contextlib
from typing import Final, get_args

from services.notify.breaker import Failing
from services.notify.registry import Registry
from shared.bus.command import Refused
from shared.catalogue import EndpointFailing, FailingHours

_HOUR_MS: Final = 3_600_000
STAGES: Final[tuple[FailingHours, ...]] = get_args(FailingHours)


class Warnings:
    """Of one endpoint. What another process has told is not told again: the command's key is the row's beginning."""

    def __init__(self, registry: Registry, endpoint_id: str) -> None:
        self._registry = registry
        self._endpoint_id = endpoint_id
        self._told: set[tuple[int, FailingHours]] = set()

    async def tell(self, failing: Failing | None, now_ms: int) -> None:
        """Raises Overloaded or StoreError when it could not be written down: to be told the next time."""
        if failing is None:
            self._told.clear()
            return
        for hours in STAGES:
            if now_ms - failing.since_ms < hours * _HOUR_MS or (failing.since_ms, hours) in self._told:
                continue
            warning = EndpointFailing(
                endpoint_id=self._endpoint_id,
                hours=hours,
                event_type=failing.event_type,
                event_id=failing.event_id,
            )
            with contextlib.suppress(Refused):
                await self._registry.warn(warning, failing.since_ms)
            self._told.add((failing.since_ms, hours))
