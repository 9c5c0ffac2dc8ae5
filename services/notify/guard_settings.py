"""What the address guard is told by its environment; the service and `kairan endpoints check` read it alike."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.notify.address_guard import HIGHEST_PORT, PORTS, Guard, own_hosts
from services.notify.networks import Network, parse_networks


def _networks(value: Any) -> Any:
    return parse_networks(value) if isinstance(value, str) else value


def words_of(value: Any) -> Any:
    """The words of `A,B,…`; anything but text as it is."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


class GuardSettings(BaseSettings):
    """Set as `KAIRAN_NOTIFY_…`."""

    model_config = SettingsConfigDict(env_prefix="KAIRAN_", env_ignore_empty=True, extra="ignore", frozen=True)

    notify_allow_private: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)] = Field(
        (),
        description="CIDR,… : private networks to which webhooks may go, also by plain http and on any port. "
        "Danger: whoever may create an endpoint can make this service talk to everything in them.",
    )
    notify_ports: Annotated[
        frozenset[Annotated[int, Field(ge=1, le=HIGHEST_PORT)]], NoDecode, BeforeValidator(words_of)
    ] = Field(
        PORTS,
        description="Ports of public receivers. Danger: other services' ports understand part of an HTTP request.",
    )
    notify_self_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(words_of), AfterValidator(own_hosts)] = (
        Field(
            frozenset(),
            description="HOST,… : our own public names and addresses, refused as receivers. "
            "Danger: left out, a delivery can cause another, without end.",
        )
    )

    def guard(self) -> Guard:
        return Guard(self.notify_allow_private, self.notify_ports, self.notify_self_hosts)
