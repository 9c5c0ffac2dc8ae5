"""One endpoint's attempts: sign, send, judge the answer, and say what follows from it for delivery and endpoint."""

import contextlib
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import structlog

from services.notify.attempt import Begun, Written
from services.notify.breaker import Breaker, Failing, Health, Rules
from services.notify.delivery import Settled, Waiting
from services.notify.endpoint import Endpoint
from services.notify.fair_share import FairShare
from services.notify.gate import Gate
from services.notify.outcome import Answer, Verdict, gone_or_failing, judge, read_by
from services.notify.registry import Registry
from services.notify.results import Result, Results
from services.notify.retry import Schedule
from services.notify.sender import Posting, Sender
from services.notify.signing import sign
from services.notify.warning import Warnings
from shared.bus.command import Overloaded, Refused
from shared.catalogue import DeliveryExhausted
from shared.clock import wall_ms
from shared.store.mongo import StoreError
from shared.telemetry import metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Office:
    """What all attempts share. `in_flight` is for endpoints that name none.

    `on_disabled` is called after an endpoint was disabled.
    `to_send` says what may still be sent of a delivery that was read a while ago.
    """

    sender: Sender
    results: Results
    registry: Registry
    schedule: Schedule
    to_send: Callable[[Waiting, Endpoint], Waiting]
    share: FairShare
    in_flight: int
    rules: Rules = field(default_factory=Rules)
    on_disabled: Callable[[], None] = lambda: None


class Attempts:
    """The `Attempt` of one lane. `serves` is its endpoint as last read.

    `sendable()` is asked before each request: None once the lane is not ours or the endpoint is not active.
    """

    def __init__(
        self, office: Office, serves: Endpoint, sendable: Callable[[], Endpoint | None], health: Health
    ) -> None:
        self._office = office
        self.serves = serves
        self._sendable = sendable
        self._failing = health.failing
        self._written = health
        self.breaker = Breaker(office.rules, health.opened)
        self._gate = Gate(self.breaker)
        self._warnings = Warnings(office.registry, serves.id)

    def pause_s(self, flying: int) -> float:
        pause_ms = self._gate.pause_ms(wall_ms(), flying, self._in_flight, self.serves.per_minute)
        return math.inf if pause_ms is None else pause_ms / 1000

    def begin(self, delivery: Waiting) -> Begun:
        now_ms = wall_ms()
        if delivery.expired(now_ms):
            return "expired"
        return "probe" if self._gate.began(now_ms) else "attempt"

    async def __call__(self, delivery: Waiting, begun: Begun, written: Written) -> bool:
        if begun == "expired":
            await self._write(Settled(delivery, None, Verdict("expired"), wall_ms()), written)
            return True
        probe, ended = begun == "probe", False
        try:
            ended = await self._attempt(delivery, written, probe=probe)
            return ended
        finally:
            if not ended:
                self.breaker.withdrew(probe=probe)

    async def warn(self) -> None:
        """Tells the owner, once each, that the endpoint has failed for an hour, and for a day."""
        try:
            await self._warnings.tell(self._failing, wall_ms())
        except (StoreError, Overloaded) as error:
            log.info("warning_waits", endpoint=self.serves.id, error=type(error).__name__)

    async def _attempt(self, delivery: Waiting, written: Written, *, probe: bool) -> bool:
        async with self._office.share.place(self.serves.owner, self.serves.id, suspect=self.breaker.suspect):
            endpoint = self._sendable()
            if endpoint is None or (self.breaker.opened is not None and not probe):
                return False
            delivery = self._office.to_send(delivery, endpoint)
            sent = await self._office.sender.send(posting(endpoint, delivery, wall_ms()))
        answer = read_by(endpoint.kind, sent)
        await self._conclude(delivery, endpoint, answer, written, probe=probe)
        return True

    async def _conclude(
        self, delivery: Waiting, endpoint: Endpoint, answer: Answer, written: Written, *, probe: bool
    ) -> None:
        ended_ms = wall_ms()
        self._gate.ended(answer, ended_ms, self._in_flight, probe=probe)
        why = gone_or_failing(answer, self._failing.since_ms if self._failing else None, ended_ms)
        if why is not None:
            verdict = Verdict("dropped")
            await self._disable(delivery, why)
        else:
            made = delivery.made + 1 - delivery.made_before
            verdict = judge(answer, made, self._office.schedule, random.random())
        if verdict.state == "exhausted":
            await self._tell_exhausted(delivery, answer)
        _count(delivery, answer, verdict, ended_ms)
        if answer.failure is None:
            self._failing = None
        elif self._failing is None:
            self._failing = Failing(ended_ms, delivery.event_type, delivery.event_id)
        await self.warn()
        await self._write(Settled(delivery, answer, verdict, ended_ms, endpoint.disclosed), written)

    async def _tell_exhausted(self, delivery: Waiting, answer: Answer) -> None:
        """Before it is written down: a crash in between repeats the attempt, and telling twice tells once."""
        given_up = DeliveryExhausted(
            endpoint_id=delivery.endpoint_id,
            event_type=delivery.event_type,
            event_id=delivery.event_id,
            attempts=delivery.made + 1,
            last_status=answer.status,
        )
        with contextlib.suppress(Refused):
            await self._office.registry.exhaust(given_up, f"{delivery.id} {delivery.made_before}")

    async def _write(self, settled: Settled, written: Written) -> None:
        if settled.answer is None:
            metrics.DELIVERIES.labels(settled.verdict.state).inc()
        health = Health(self._failing, self.breaker.opened)
        changed, self._written = health != self._written, health
        await self._office.results.add(Result(settled, health if changed else None, written))

    async def _disable(self, delivery: Waiting, why: Literal["gone", "failing"]) -> None:
        with contextlib.suppress(Refused):
            await self._office.registry.disable(delivery.endpoint_id, why, delivery.event_type, delivery.event_id)
        self._office.on_disabled()

    @property
    def _in_flight(self) -> int:
        return self.serves.in_flight or self._office.in_flight


def posting(endpoint: Endpoint, delivery: Waiting, now_ms: int) -> Posting:
    """The request of one attempt, signed for this moment; a chat's is not signed."""
    timestamp_s = now_ms // 1000
    keys = endpoint.signing_keys(now_ms)
    signature = {"webhook-signature": sign(keys, delivery.id, timestamp_s, delivery.body)} if keys else {}
    return Posting(
        url=endpoint.url,
        headers={
            "Content-Type": "application/json" if endpoint.is_chat else "application/cloudevents+json",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp_s),
            **signature,
            "webhook-attempt": str(delivery.made + 1),
            "webhook-sequence": str(delivery.sequence),
        },
        body=delivery.body,
    )


_attempts, _deliveries = cache(metrics.ATTEMPTS.labels), cache(metrics.DELIVERIES.labels)


def _count(delivery: Waiting, answer: Answer, verdict: Verdict, ended_ms: int) -> None:
    _attempts("delivered" if answer.failure is None else answer.failure.value).inc()
    metrics.DELIVERY_SECONDS.observe(answer.duration_ms / 1000)
    if verdict.state != "waiting":
        _deliveries(verdict.state).inc()
    if verdict.state == "delivered":
        metrics.DELIVERY_AGE_SECONDS.observe(max(0.0, (ended_ms - delivery.recorded_ms) / 1000))
