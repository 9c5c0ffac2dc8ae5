"""What a notify process is told by its environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

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
        2, ge=1, le=64, description="Requests at one endpoint at a time. Danger: above 1 there is no order within it."
    )
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
        100, ge=1, le=100_000, description="Endpoints that one owner (the subject of a token) may have."
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
