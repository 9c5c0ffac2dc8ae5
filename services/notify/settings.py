"""What a notify process is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from services.notify.breaker import Rules
from services.notify.guard_settings import GuardSettings, words_of
from services.notify.retry import DELAYS_S, Schedule
from services.notify.vault import Vault
from shared.settings import ServiceSettings


class Settings(ServiceSettings, GuardSettings):
    """The settings of all services, and these. Set as `KAIRAN_NOTIFY_…`."""

    notify_secrets_key_file: Path = Field(
        description="A file with the Fernet key that encrypts endpoints' secrets; one key a line, the first encrypts. "
        "Danger: who reads it and the database can sign as this service; without it no endpoint can be sent to.",
    )
    notify_in_flight: int = Field(
        2,
        ge=1,
        le=64,
        description="Requests at one endpoint at a time, where it names no number. Danger: above 1 an endpoint that is "
        "not `ordered` has no order within it.",
    )
    notify_most_in_flight: int = Field(
        512,
        ge=4,
        description="Requests of one process at a time; what fails has a quarter of them. Danger: each costs a socket "
        "and up to 0.3 MB; with too few, receivers that hang keep the others waiting.",
    )
    notify_idle_tls: int = Field(
        200, ge=0, description="Hosts with a TLS connection kept open for the next request. Danger: 0.3 MB each."
    )
    notify_breaker_failures: int = Field(
        5, ge=1, description="Failures in a row that open an endpoint's breaker. Danger: few open it for a hiccup."
    )
    notify_breaker_share: float = Field(
        0.5, gt=0, le=1, description="Share of failures, of 20 or more in a minute, above which it opens."
    )
    notify_probe_s: float = Field(
        30.0,
        gt=0,
        description="After which an open breaker lets one request through; at most the longest of the retry delays, "
        "but 1 s. Danger: too long keeps a receiver waiting that is well again.",
    )
    notify_probe_most_s: float = Field(900.0, gt=0, description="Up to which that time doubles, probe by probe.")
    notify_retry_delays_s: Annotated[tuple[float, ...], NoDecode, BeforeValidator(words_of)] = Field(
        DELAYS_S, min_length=1, description="SECONDS,… before each attempt; after the last one a delivery is given up."
    )
    notify_timeout_s: float = Field(
        15.0, gt=0, le=60, description="A whole attempt, with the end of the answer's body. Danger: too short repeats."
    )
    notify_replay_per_s: int = Field(
        50,
        ge=1,
        le=10_000,
        description="Deliveries a second that a replay sends again, per endpoint. Danger: live deliveries stand behind "
        "up to a second's worth of them.",
    )
    notify_most_endpoints: int = Field(
        100,
        ge=1,
        le=100_000,
        description="Endpoints that one owner (a token's subject) may have. Danger: each costs planning and memory.",
    )
    notify_challenge: Literal["off", "required"] = Field(
        "off",
        description="required: a new endpoint, or a new URL, hears nothing until its receiver answered a challenge. "
        "Danger: when off, an owner can point webhooks at any public host.",
    )

    @field_validator("notify_secrets_key_file")
    @classmethod
    def _holds_a_key(cls, path: Path) -> Path:
        Vault.from_file(path)
        return path

    def schedule(self) -> Schedule:
        return Schedule(self.notify_retry_delays_s)

    def breaker(self) -> Rules:
        """Where retries follow soon, a probe does not take longer than the longest of their delays (or a second)."""
        first_s = min(self.notify_probe_s, max(1.0, *self.notify_retry_delays_s))
        most_s = max(first_s, self.notify_probe_most_s)
        return Rules(self.notify_breaker_failures, self.notify_breaker_share, first_s, most_s)
