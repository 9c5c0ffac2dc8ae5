"""What a notify process is told by its environment."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode

from services.notify.address_guard import PORTS, Guard
from services.notify.networks import Network, parse_networks
from services.notify.retry import DELAYS_S, Schedule
from services.notify.vault import Vault
from shared.settings import ServiceSettings


def _networks(value: Any) -> Any:
    return parse_networks(value) if isinstance(value, str) else value


def _words(value: Any) -> Any:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class Settings(ServiceSettings):
    """The settings of all services, and these. Set as `KAIRAN_NOTIFY_…`."""

    notify_secrets_key_file: Path = Field(
        description="A file with the Fernet key that encrypts endpoints' secrets; one key a line, the first encrypts. "
        "Danger: who reads it and the database can sign as this service; without it no endpoint can be sent to.",
    )
    notify_allow_private: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (),
        description="CIDR,… : private networks to which webhooks may go, also by plain http and on any port. "
        "Danger: whoever may create an endpoint can make this service talk to everything in them.",
    )
    notify_ports: Annotated[frozenset[int], NoDecode, BeforeValidator(_words)] = Field(
        PORTS,
        description="Ports of public receivers. Danger: other services' ports understand part of an HTTP request.",
    )
    notify_self_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(_words)] = Field(
        frozenset(),
        description="HOST,… : our own public names, refused as receivers because a delivery would cause another.",
    )
    notify_in_flight: int = Field(
        2, ge=1, le=64, description="Requests at one endpoint at a time. Danger: above 1 there is no order within it."
    )
    notify_retry_delays_s: Annotated[tuple[float, ...], NoDecode, BeforeValidator(_words)] = Field(
        DELAYS_S, min_length=1, description="SECONDS,… before each attempt; after the last one a delivery is given up."
    )
    notify_timeout_s: float = Field(
        15.0, gt=0, le=60, description="A whole attempt, with the end of the answer's body. Danger: too short repeats."
    )

    @field_validator("notify_secrets_key_file")
    @classmethod
    def _holds_a_key(cls, path: Path) -> Path:
        Vault.from_file(path)
        return path

    def guard(self) -> Guard:
        return Guard(self.notify_allow_private, self.notify_ports, self.notify_self_hosts)

    def schedule(self) -> Schedule:
        return Schedule(self.notify_retry_delays_s)
