"""A service process of the stack: its addresses, its environment, and the question whether it is ready."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from kairan.stack.child import Child
from kairan.stack.home import Home
from kairan.stack.ports import LOOPBACK, KeptPorts

SERVICES = ("membership", "events", "notify", "metrics")
STOP_DEADLINE_S = 8.5
PROBE_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


@dataclass(frozen=True)
class Surroundings:
    """What all service processes are told; the names are those of `shared.settings`."""

    bootstrap: str
    kind: str
    mongo_uri: str
    clock: str

    def as_env(self) -> dict[str, str]:
        return {
            "KAIRAN_KAFKA": self.bootstrap,
            "KAIRAN_KAFKA_KIND": self.kind,
            "KAIRAN_MONGO": self.mongo_uri,
            "KAIRAN_CLOCK": self.clock,
        }


class ServiceProcess:
    """One replica: knows its addresses, is spawned anew for every start."""

    def __init__(self, home: Home, role: str, number: int, shared_port: int, ports: KeptPorts, ops_host: str) -> None:
        self.role = role
        self.name = f"{role}-{number}"
        self._home, self._ports, self._shared_port, self._ops_host = home, ports, shared_port, ops_host
        self.port = ports.take(self.name)
        self.ops_port = ports.take(f"{self.name}-ops") if ops_host else None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def ops_url(self) -> str | None:
        return f"http://{self._ops_host}:{self.ops_port}" if self.ops_port else None

    def spawn(self, surroundings: Surroundings, extra: Mapping[str, str]) -> Child:
        self.port = self._ports.take(self.name)
        env = {**os.environ, **self._defaults(), **surroundings.as_env(), **self._own(), **extra}
        # -P: a folder `services` where the operator stands is not ours.
        command = [sys.executable, "-P", "-m", f"services.{self.role}.app"]
        return Child(self.name, command, self._home.logs / f"{self.name}.log", env)

    def _defaults(self) -> dict[str, str]:
        """What the operator's own environment may say otherwise."""
        allowed = os.environ.get("KAIRAN_NOTIFY_ALLOW_PRIVATE") or "127.0.0.0/8"
        return {"PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1", "KAIRAN_NOTIFY_ALLOW_PRIVATE": allowed}

    def _own(self) -> dict[str, str]:
        own = {
            "KAIRAN_INSTANCE": self.name,
            "KAIRAN_BIND": f"{LOOPBACK}:{self._shared_port}",
            "KAIRAN_OWN_BIND": f"{LOOPBACK}:{self.port}",
            "KAIRAN_JWKS_FILE": str(self._home.jwks_file),
            "KAIRAN_NOTIFY_SECRETS_KEY_FILE": str(self._home.notify_key_file),
        }
        if self._ops_host:
            self.ops_port = self._ports.take(f"{self.name}-ops")
            own["KAIRAN_OPS_BIND"] = f"{self._ops_host}:{self.ops_port}"
        return own


class ServiceProbe:
    """Whether one incarnation is ready: it answers so, and its consumers have had partitions since it started.

    A consumer that the breaker has stopped counts: it waits for `kairan dlt resume`, not for partitions.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url
        self._assigned = False

    async def __call__(self) -> bool:
        """Never raises: what does not answer is not ready."""
        try:
            if not await self._is_ready():
                return False
            if not self._assigned:
                self._assigned = await self._consumers_assigned()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        return self._assigned

    async def _is_ready(self) -> bool:
        async with self._session.get(f"{self._url}/health/ready", timeout=PROBE_TIMEOUT) as answer:
            return answer.status == 200

    async def _consumers_assigned(self) -> bool:
        async with self._session.get(f"{self._url}/health/stream", timeout=PROBE_TIMEOUT) as answer:
            body: dict[str, Any] = await answer.json(content_type=None)
        return all(_is_assigned(check) for check in body.get("checks", {}).values() if "assigned_since_start" in check)


def _is_assigned(check: Mapping[str, Any]) -> bool:
    return bool(check["assigned_since_start"]) or check.get("state") == "stopped"
