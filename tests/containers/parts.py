"""One broker, one database, one service, each as a container with the settings that docker-compose.yml gives it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import docker
from testcontainers.core.container import DockerContainer  # after tests.containers.engine, whose settings it reads
from testcontainers.core.network import Network

from kairan.stack.home import Home
from kairan.stack.mongowire import CommandFailed, command
from kairan.stack.wire import broker_count
from shared.web.tokens import ensure_keys
from tests.containers.engine import image_of
from tests.deploy.compose_file import environment, services

START_S = 90.0
GO = "/tmp/advertised"


def until(look: Callable[[], object], what: str) -> None:
    """Waits, in a thread, until `look` finds something; fails naming it."""
    deadline = time.monotonic() + START_S
    while not look():
        assert time.monotonic() < deadline, f"not within {START_S:g} s: {what}"
        time.sleep(0.1)


class Kafka(DockerContainer):
    """Apache Kafka, one node. It starts when its published port is known, since that is what it must advertise.

    Every KAFKA_ setting is given: with one of them the image takes none of its own defaults.
    """

    kind: Literal["apache"] = "apache"

    def __init__(self, network: Network | None = None) -> None:
        super().__init__("apache/kafka:4.3.1")
        self.with_exposed_ports(19092)
        for name, value in environment("kafka").items():
            self.with_env(name, value)
        self.with_env("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:9093")
        self.with_env("KAFKA_LOG_DIRS", "/tmp/kafka-log")
        self.with_command(["bash", "-c", f"until [ -e {GO} ]; do sleep 0.1; done; . {GO}; exec /etc/kafka/docker/run"])
        self.alias = "kafka" if network else "localhost"
        if network:
            self.with_network(network).with_network_aliases(self.alias)

    @property
    def bootstrap(self) -> str:
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(19092)}"

    def start(self) -> "Kafka":
        super().start()
        listeners = f"PLAINTEXT://{self.alias}:9092,HOST://{self.bootstrap}"
        told = f"echo export KAFKA_ADVERTISED_LISTENERS={listeners} >{GO}.new && mv {GO}.new {GO}"
        assert self.get_wrapped_container().exec_run(["bash", "-c", told]).exit_code == 0
        until(self._answers, f"the broker at {self.bootstrap} answers")
        return self

    def _answers(self) -> bool:
        return asyncio.run(broker_count(self.bootstrap)) > 0


class Mongo(DockerContainer):
    """A replica set of one, which its clients reach directly at the published port."""

    def __init__(self, network: Network | None = None) -> None:
        super().__init__("mongo:8.0")
        self.with_exposed_ports(27017)
        self.with_command(services()["mongo"]["command"])
        self.alias = "mongo" if network else "localhost"
        if network:
            self.with_network(network).with_network_aliases(self.alias)

    @property
    def uri(self) -> str:
        return f"mongodb://{self.get_container_host_ip()}:{self.get_exposed_port(27017)}/?directConnection=true"

    def start(self) -> "Mongo":
        super().start()
        until(self._is_primary, "mongod is a writable primary")
        return self

    def _is_primary(self) -> bool:
        try:
            hello = self._ask({"hello": 1})
            if not hello.get("setName"):
                members = [{"_id": 0, "host": f"{self.alias}:27017"}]
                self._ask({"replSetInitiate": {"_id": "rs0", "members": members}})
            return bool(hello.get("isWritablePrimary"))
        except (OSError, EOFError, TimeoutError, CommandFailed):
            return False

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        port = int(self.get_exposed_port(27017))
        return asyncio.run(command(self.get_container_host_ip(), port, {**body, "$db": "admin"}))


class Service(DockerContainer):
    """One service on its image, hardened as in docker-compose.yml; `keys` is a folder made by `readable_keys`."""

    def __init__(self, name: str, network: Network, keys: Path, **settings: str) -> None:
        super().__init__(image_of(name), read_only=True, cap_drop=["ALL"])
        self.with_exposed_ports(8000).with_network(network).with_tmpfs_mount("/tmp")
        for variable, value in (environment(name) | settings).items():
            self.with_env(variable, value)
        for kind in ("jwks", "notify"):
            self.with_volume_mapping(str(keys / kind), f"/etc/kairan/{kind}", "ro")

    @property
    def url(self) -> str:
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(8000)}"


def gateway(network: Network) -> str:
    """The address of this host as the network's containers see it."""
    described = docker.from_env().networks.get(network.name).attrs
    return str(described["IPAM"]["Config"][0]["Gateway"])


def readable_keys(home: Home) -> Path:
    """A home's public key and notify's secret where the images look for them, for the containers' own user."""
    ensure_keys(home.keys)
    folder = home.root / "mounted"
    for kind, name, source in (
        ("jwks", "jwks.json", home.jwks_file),
        ("notify", "secrets.key", home.make_notify_key()),
    ):
        (folder / kind).mkdir(parents=True)
        (folder / kind / name).write_bytes(source.read_bytes())
        (folder / kind / name).chmod(0o644)
        (folder / kind).chmod(0o755)
    return folder
