"""What an answer means for a delivery and for its endpoint. Pure."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from services.notify.retry import Schedule

FAILING_DAYS = 5
_NO_CONTENT = 204
_FAILING_MS = FAILING_DAYS * 24 * 3600 * 1000


class Failure(StrEnum):
    """Why an attempt did not deliver, as the log names it."""

    FORBIDDEN = "forbidden"
    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    PROTOCOL = "protocol"
    REDIRECT = "redirect"
    STATUS = "status"


@dataclass(frozen=True)
class Answer:
    """One attempt's end. `status` is None when there was no answer; `failure` is None when it was delivered.

    `said` is the beginning of a refusing answer's body.
    """

    status: int | None
    failure: Failure | None
    duration_ms: float
    retry_after_s: float | None = None
    said: str = field(default="", repr=False)

    def marks(self) -> tuple[str, ...]:
        """By what a failed attempt is found in the log: its status, the status's class, what went wrong."""
        if self.failure is None:
            return ()
        status = () if self.status is None else (str(self.status), f"{self.status // 100}xx")
        return (*status, self.failure.value)


DeliveryState = Literal["waiting", "delivered", "exhausted", "dropped", "expired"]


@dataclass(frozen=True)
class Verdict:
    """The delivery's new state; `delay_s` until the next attempt while it is waiting."""

    state: DeliveryState
    delay_s: float = 0.0


def failure_of(status: int) -> Failure | None:
    """What an HTTP status says: 2xx delivered, 3xx a redirect (never followed), anything else a failure."""
    if 200 <= status < 300:
        return None
    return Failure.REDIRECT if 300 <= status < 400 else Failure.STATUS


def read_by(kind: str, answer: Answer) -> Answer:
    """The answer as this kind of endpoint means it: Apprise answers 204 where its key tells nobody."""
    if kind == "apprise" and answer.status == _NO_CONTENT and answer.failure is None:
        return replace(answer, failure=Failure.STATUS)
    return answer


def judge(answer: Answer, made: int, schedule: Schedule, chance: float) -> Verdict:
    """What becomes of a delivery after its `made`-th attempt; `chance` in [0, 1) spreads the retries."""
    if answer.failure is None:
        return Verdict("delivered")
    delay_s = schedule.delay_s(made, chance, answer.retry_after_s)
    return Verdict("exhausted") if delay_s is None else Verdict("waiting", delay_s)


def gone_or_failing(answer: Answer, failing_since_ms: int | None, now_ms: int) -> Literal["gone", "failing"] | None:
    """Why the endpoint is to be disabled: it said 410, or it has answered nothing but failures for five days."""
    if answer.status == 410:
        return "gone"
    if answer.failure is not None and failing_since_ms is not None and now_ms - failing_since_ms >= _FAILING_MS:
        return "failing"
    return None
