"""docker-compose.yml as an operator runs it, under a project name and on ports of its own."""

import asyncio
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from kairan.stack.ports import free_port
from tests.containers.engine import SERVICES, docker
from tests.deploy.compose_file import ROOT

PARTS = ("kafka", "mongo")
# A receiver of the tests is a process of this host, which containers see at a private address.
PRIVATE = {"KAIRAN_NOTIFY_ALLOW_PRIVATE": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"}


def command() -> list[str] | None:
    """`docker compose` (v2) where it is, else `docker-compose` (1.29); None where neither is."""
    if shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True).returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


class Compose:
    """One project. `settings` are keys of .env.example; the ports are chosen free."""

    def __init__(self, project: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.project = project
        self._tokens: dict[tuple[str, ...], str] = {}
        ports = {f"KAIRAN_PORT_{name.upper()}": free_port() for name in (*SERVICES, "kafka", "kafka_2", "kafka_3")}
        self.urls = {name: f"http://127.0.0.1:{ports[f'KAIRAN_PORT_{name.upper()}']}" for name in SERVICES}
        self.bootstrap = f"127.0.0.1:{ports['KAIRAN_PORT_KAFKA']}"
        self._env_file = folder / "env"
        lines = [f"{key}={value}" for key, value in {**ports, **settings}.items()]
        self._env_file.write_text("\n".join(lines) + "\n")

    @cached_property
    def _command(self) -> list[str]:
        found = command()
        assert found is not None
        file = str(ROOT / "docker-compose.yml")
        return [*found, "--project-name", self.project, "--env-file", str(self._env_file), "--file", file]

    def run(self, *words: str, timeout_s: float = 300) -> str:
        """What the command prints on stdout; its stderr becomes the error."""
        done = subprocess.run(
            [*self._command, *words], capture_output=True, text=True, timeout=timeout_s, check=False, cwd=ROOT
        )
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr[-4000:]}"
        return done.stdout

    async def up(self, timeout_s: float = 180) -> float:
        """`up --detach`, then waits until all four services answer ready; returns the seconds it took."""
        begin = time.monotonic()
        await asyncio.to_thread(self.run, "up", "--detach", timeout_s=timeout_s)
        await self.wait_ready(timeout_s)
        return time.monotonic() - begin

    async def wait_ready(self, timeout_s: float = 120) -> None:
        deadline = time.monotonic() + timeout_s
        async with httpx.AsyncClient(timeout=5) as http:
            while unready := [name for name in SERVICES if not await is_ready(http, self.urls[name])]:
                assert time.monotonic() < deadline, f"not ready within {timeout_s:g} s: {unready}"
                await asyncio.sleep(0.2)

    def token(self, *scopes: str, **_: Any) -> str:
        """As the operator gets one: from the running container."""
        if scopes not in self._tokens:
            words = ("exec", "-T", "membership", "kairan", "token", "--scope", *scopes)
            self._tokens[scopes] = self.run(*words).strip()
        return self._tokens[scopes]

    def page_link(self) -> str:
        return self.run("exec", "-T", "metrics", "kairan", "link").strip()

    def container(self, service: str) -> str:
        """The id of a service's container, running or not."""
        return docker(
            *("ps", "--all", "--quiet", "--no-trunc"),
            *("--filter", f"label=com.docker.compose.project={self.project}"),
            *("--filter", f"label=com.docker.compose.service={service}"),
        )

    def inspect(self, service: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(docker("inspect", self.container(service)))
        return found[0]

    def pid(self, service: str) -> int:
        """The process behind a container as this host sees it; 0 while it is dead."""
        return int(self.inspect(service)["State"]["Pid"])

    async def kill(self, service: str) -> None:
        """kill -9 of the container's process, from outside, and the wait until the engine has started it again.

        `docker kill` would not do: the engine takes that for the operator's wish and leaves the container dead.
        """
        pid = await asyncio.to_thread(self.pid, service)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while await asyncio.to_thread(self.pid, service) in (0, pid):
            assert time.monotonic() < deadline, f"{service} was not started again"
            await asyncio.sleep(0.1)

    def down(self, *words: str) -> None:
        self.run("down", *words)


def host_address() -> str:
    """An address of this host that every container reaches, whatever becomes of the project's own network."""
    found = json.loads(docker("network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"))[0]
    # Left unsaid where it is the default: the subnet's first address.
    return found.get("Gateway") or str(ipaddress.ip_network(found["Subnet"])[1])


async def is_ready(http: httpx.AsyncClient, url: str) -> bool:
    """Whether the service at `url` answers, and says so."""
    try:
        return (await http.get(f"{url}/health/ready")).status_code == 200
    except httpx.HTTPError:
        return False


def is_local_engine(compose: Compose, services: Sequence[str] = PARTS) -> bool:
    """Whether the containers' processes are processes of this machine, which this user may kill."""
    return os.geteuid() == 0 and all(Path(f"/proc/{compose.pid(name)}").exists() for name in services)
