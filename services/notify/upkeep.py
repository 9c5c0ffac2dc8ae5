"""What a process does now and then: payloads grow old, lanes are measured, owners are warned."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Final, get_args

import structlog

from services.notify.attempts import Attempts
from services.notify.breaker import State
from services.notify.endpoint import Endpoint
from services.notify.fair_share import FairShare
from services.notify.lanes import Lane
from services.notify.store import PAYLOAD_KEPT, NotifyStore
from shared.clock import wall_ms
from shared.store.mongo import StoreError
from shared.telemetry import metrics

log = structlog.get_logger(__name__)

_CLEAN_EVERY_S: Final = 3600.0
_MEASURE_EVERY_S: Final = 15.0


class Upkeep:
    """Of the lanes of this process, as they are at each moment. Each method goes on until it is cancelled."""

    def __init__(
        self,
        notify: NotifyStore,
        share: FairShare,
        lanes: Mapping[str, Lane],
        attempts: Mapping[str, Attempts],
        endpoints: Callable[[], Iterable[Endpoint]],
    ) -> None:
        self._notify = notify
        self._share = share
        self._lanes = lanes
        self._attempts = attempts
        self._endpoints = endpoints

    async def clean(self) -> None:
        while True:
            try:
                await self._notify.forget_payloads(datetime.now(UTC) - PAYLOAD_KEPT)
                await self._notify.forget_secrets(wall_ms())
            except StoreError as error:
                log.info("payloads_kept", error=type(error).__name__)
            await asyncio.sleep(_CLEAN_EVERY_S)

    async def warn(self) -> None:
        while True:
            for attempts in list(self._attempts.values()):
                await attempts.warn()
            await asyncio.sleep(_MEASURE_EVERY_S)

    async def measure(self) -> None:
        while True:
            self._measure_lanes()
            try:
                metrics.DELIVERIES_WAITING.set(await self._notify.count_waiting())
            except StoreError as error:
                log.info("deliveries_unmeasured", error=type(error).__name__)
            await asyncio.sleep(_MEASURE_EVERY_S)

    def _measure_lanes(self) -> None:
        states = Counter(one.state for one in self._endpoints())
        for state in ("active", "paused", "disabled"):
            metrics.ENDPOINTS.labels(state).set(states[state])
        breakers = Counter(attempts.breaker.state for attempts in self._attempts.values())
        for breaker in get_args(State):
            metrics.BREAKERS.labels(breaker).set(breakers[breaker])
        metrics.SUBJECTS_BLOCKED.set(sum(lane.blocked() for lane in self._lanes.values()))
        metrics.REQUESTS_IN_FLIGHT.set(self._share.used)
