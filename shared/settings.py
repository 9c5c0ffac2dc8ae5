"""What every service process is told by its environment (`KAIRAN_*`), with meaning, default and danger of each."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Misconfigured(ValueError):
    """The settings are each well-formed but make no sense together; the process exits with 2 and these words."""


class Address(NamedTuple):
    """A TCP address to listen on; port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `HOST:PORT` or `[IPV6]:PORT`; `ValueError` says what is wrong."""
        host, colon, port = text.strip().rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        if not colon or not bare or (":" in bare and bare == host):
            raise ValueError(f"{text!r} is not HOST:PORT")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ValueError(f"{text!r} has no port from 0 to 65535")
        return cls(bare, int(port))


def _address(value: object) -> object:
    return Address.parse(value) if isinstance(value, str) else value


Bind = Annotated[Address, NoDecode, BeforeValidator(_address)]


class ServiceSettings(BaseSettings):
    """The settings that all four services share. A service subclasses this in its own `settings.py`."""

    model_config = SettingsConfigDict(env_prefix="KAIRAN_", env_ignore_empty=True, extra="ignore", frozen=True)

    kafka: str = Field(
        "127.0.0.1:9092",
        description="Kafka bootstrap servers, HOST:PORT,… . Danger: another cluster is another history; stored offsets "
        "belong to the cluster they were read from.",
    )
    kafka_kind: Literal["apache", "tansu"] = Field(
        "apache",
        description="Which broker that is. `tansu` (the light embedded one) has no idempotent producer and keeps "
        "nothing. Danger: `tansu` for a real Apache Kafka turns the idempotent producer off.",
    )
    mongo: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=kairan",
        repr=False,
        description="MongoDB URI of a replica set (one member is enough). Danger: without a replica set there are no "
        "transactions and no command is accepted. May hold a password, so it is never logged.",
    )
    clock: Literal["wall", "stream"] = Field(
        "wall",
        description="Whose time rules the community's windows: `wall`, or `stream` (the last time-passed event) for a "
        "demo or a replay. Tokens, leases, retries and signatures always use wall time. Danger: in `stream` anybody "
        "with clock:write moves the time of this stack.",
    )
    bind: Bind = Field(
        Address("127.0.0.1", 8000),
        description="HOST:PORT of the API. All replicas of a service may share it on one machine (SO_REUSEPORT). "
        "Danger: 0.0.0.0 opens it to the network; TLS is the job of the proxy in front.",
    )
    own_bind: Bind | None = Field(
        None, description="HOST:PORT of this process alone, serving the same API, so that one replica can be asked."
    )
    ops_bind: Bind | None = Field(
        None,
        description="If set, /metrics and /health/* are served here and not on the API address. Danger: these pages "
        "need no token; without this they are as open as the API.",
    )
    instance: str = Field(
        "local-1",
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="The name of this process in logs, leases and consumer groups, e.g. membership-1. Danger: two "
        "processes with one name throw each other out of the consumer group.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the proxies in front, IP/CIDR,…, whose X-Forwarded-Proto is believed "
        "(the page's cookie is then Secure). Danger: who is named here can say what it likes.",
    )
    jwks_file: Path | None = Field(
        None,
        description="A JWKS file with the public keys whose tokens are accepted; read again when it changes. "
        "Danger: who can write it can be anybody.",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#]+$",
        description="An OpenID Connect issuer whose tokens are accepted; its keys come from its discovery document. "
        "Danger: with http:// whoever sits on the way can be anybody.",
    )
    oidc_audience: str = Field(
        "kairan",
        min_length=1,
        description="The `aud` that every token must carry. Danger: one that other systems share lets their tokens in.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The lowest level that is logged. Payloads are not logged at any level."
    )
    otlp_endpoint: str = Field(
        "",
        description="Where OpenTelemetry spans go by OTLP/HTTP, e.g. http://collector:4318. Empty: none are made, and "
        "a caller's `traceparent` is still passed on to the events.",
    )
    trace_ratio: float = Field(
        0.05, ge=0, le=1, description="The share of requests without a sampled parent that become a trace. Costs CPU."
    )
    outbox_limit: int = Field(
        1_000_000,
        ge=1,
        description="Events waiting for Kafka from which on this process says it is not ready and refuses commands "
        "(503). Danger: too high fills the database's disk in a long outage.",
    )

    @model_validator(mode="after")
    def _addresses_differ(self) -> Self:
        taken = [a for a in (self.bind, self.own_bind, self.ops_bind) if a is not None and a.port]
        if len(set(taken)) != len(taken):
            raise ValueError("KAIRAN_BIND, KAIRAN_OWN_BIND and KAIRAN_OPS_BIND must be different addresses")
        return self
