"""One endpoint's attempts: sign, send, judge the answer, and say what follows from it for delivery and endpoint."""

import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from services.notify.delivery import Settled, Waiting
from services.notify.endpoint import Endpoint
from services.notify.lanes import Written
from services.notify.outcome import Answer, Verdict, gone_or_failing, judge, read_by
from services.notify.registry import Registry
from services.notify.results import Result, Results
from services.notify.retry import Schedule
from services.notify.sender import Posting, Sender
from services.notify.signing import sign
from shared.bus.command import Refused
from shared.catalogue import DeliveryExhausted
from shared.telemetry import metrics


@dataclass(frozen=True)
class Office:
    """What all attempts share; `on_disabled` is called after an endpoint was disabled.

    `to_send` says what may still be sent of a delivery that was read a while ago.
    """

    sender: Sender
    results: Results
    registry: Registry
    schedule: Schedule
    to_send: Callable[[Waiting, Endpoint], Waiting]
    on_disabled: Callable[[], None] = lambda: None


class Attempts:
    """The `Attempt` of one lane. `endpoint()` gives None once the lane is not ours or the endpoint is not active."""

    def __init__(
        self, office: Office, endpoint: Callable[[], Endpoint | None], failing_since_ms: int | None = None
    ) -> None:
        self._office = office
        self._endpoint = endpoint
        self._failing_since_ms = failing_since_ms

    async def __call__(self, delivery: Waiting, written: Written) -> bool:
        endpoint = self._endpoint()
        if endpoint is None:
            return False
        delivery = self._office.to_send(delivery, endpoint)
        answer = read_by(
            endpoint.kind, await self._office.sender.send(posting(endpoint, delivery, int(time.time() * 1000)))
        )
        ended_ms = int(time.time() * 1000)
        why = gone_or_failing(answer, self._failing_since_ms, ended_ms)
        if why is not None:
            verdict = Verdict("dropped")
            await self._disable(delivery, why)
        else:
            made = delivery.made + 1 - delivery.made_before
            verdict = judge(answer, made, self._office.schedule, random.random())
        if verdict.state == "exhausted":
            await self._tell_exhausted(delivery, answer)
        _count(delivery, answer, verdict, ended_ms)
        await self._write(Settled(delivery, answer, verdict, ended_ms, endpoint.disclosed), written)
        return True

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
        before = self._failing_since_ms
        if settled.answer.failure is None:
            self._failing_since_ms = None
        elif before is None:
            self._failing_since_ms = settled.ended_ms
        changed = self._failing_since_ms != before
        await self._office.results.add(Result(settled, self._failing_since_ms, changed, written))

    async def _disable(self, delivery: Waiting, why: Literal["gone", "failing"]) -> None:
        with contextlib.suppress(Refused):
            await self._office.registry.disable(delivery.endpoint_id, why, delivery.event_type, delivery.event_id)
        self._office.on_disabled()


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
