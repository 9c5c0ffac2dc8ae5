"""`kairan up` and `docker compose up` take the same settings under the same names, with the same defaults."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairan.stack.home import Home
from kairan.stack.kafka import ApacheKafka
from kairan.stack.mongod import Mongod
from kairan.stack.ports import KeptPorts
from kairan.stack.service import SERVICES, ServiceProcess, Surroundings
from services.events.settings import Settings as EventsSettings
from services.membership.settings import Settings as MembershipSettings
from services.metrics.settings import Settings as MetricsSettings
from services.notify.settings import Settings as NotifySettings
from shared.settings import ServiceSettings
from tests.conftest import Missing
from tests.deploy.compose_file import COMPOSE, EXAMPLE, ROOT, VARIABLE, environment, keys, services

SETTINGS: dict[str, type[ServiceSettings]] = {
    "membership": MembershipSettings,
    "events": EventsSettings,
    "notify": NotifySettings,
    "metrics": MetricsSettings,
}
# What a process is told of its own place, which no operator chooses: kairan/stack does, and docker-compose.yml does.
OF_THE_PROCESS = {"KAIRAN_BIND", "KAIRAN_OWN_BIND", "KAIRAN_INSTANCE", "KAIRAN_KAFKA_KIND"}
OF_THE_COMMAND_LINE = {"KAIRAN_PAGE_URL", "KAIRAN_PORTAL_URL"}
# Where the parts lie is the one thing that differs between processes on loopback and containers.
PLACES = {"kafka", "mongo", "bind", "instance", "jwks_file", "notify_secrets_key_file"}


def names(settings: type[ServiceSettings]) -> set[str]:
    return {f"KAIRAN_{field.upper()}" for field in settings.model_fields}


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_told_every_setting_of_its_service_and_no_other(service: str) -> None:
    told = set(environment(service))
    assert told - OF_THE_COMMAND_LINE == names(SETTINGS[service])


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_is_told_what_the_supervisor_tells_a_process(service: str, tmp_path: Path) -> None:
    ports = KeptPorts(tmp_path / "ports.json")
    process = ServiceProcess(Home(tmp_path), service, 1, 1, ports, ops_host="")
    of_all = set(Surroundings("", "apache", "", "wall").as_env()) | set(process._own()) | set(process._defaults())
    image = set(re.findall(r"(\w+)=", (ROOT / "deploy/images/Dockerfile").read_text()))
    told = set(environment(service)) | image
    if service != "notify":  # the supervisor tells all processes, a container's environment is its own
        of_all = {name for name in of_all if not name.startswith("KAIRAN_NOTIFY_")}
    assert of_all <= told


def test_every_variable_stands_in_the_example_with_the_same_default_and_no_other() -> None:
    used: dict[str, set[str]] = {}
    for name, default in VARIABLE.findall(COMPOSE):
        used.setdefault(name, set()).add(default)
    assert {name: defaults for name, defaults in used.items() if len(defaults) > 1} == {}
    assert {name: min(defaults) for name, defaults in used.items()} == keys()


def test_the_operator_chooses_what_an_operator_can_choose() -> None:
    choosable = names(NotifySettings) - OF_THE_PROCESS
    assert choosable <= set(keys())
    for name in OF_THE_PROCESS:
        assert name not in keys()


def test_the_examples_defaults_are_those_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = Home(tmp_path).make_notify_key(tmp_path / "key")
    bare = NotifySettings(notify_secrets_key_file=key).model_dump(exclude=PLACES)
    for name, value in keys().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KAIRAN_NOTIFY_SECRETS_KEY_FILE", str(key))
    assert NotifySettings().model_dump(exclude=PLACES) == bare


def paragraphs() -> Iterator[tuple[str, list[str]]]:
    """The words above the keys, and the keys, of each paragraph of the example that has any."""
    for block in EXAMPLE.split("\n\n"):
        if found := list(keys(block)):
            yield " ".join(line for line in block.splitlines() if line.startswith("#")), found


def test_every_key_of_the_example_says_its_meaning_and_its_danger() -> None:
    assert [found for words, found in paragraphs() if "Danger: " not in words] == []


def test_the_cluster_changes_only_what_the_example_names() -> None:
    cluster = keys((ROOT / "deploy/compose/cluster.env").read_text())
    assert set(cluster) - {"COMPOSE_PROFILES"} <= set(keys())


def test_the_brokers_have_the_settings_of_the_embedded_one(tmp_path: Path) -> None:
    embedded = ApacheKafka(tmp_path / "kafka", tmp_path / "log")._properties(1)
    same = {
        line.partition("=")[0]: line.partition("=")[2]
        for line in embedded.splitlines()
        if not line.startswith(
            ("node.id", "process.roles", "controller.", "listeners", "advertised", "inter.", "log.dirs")
        )
    }
    for name in ("kafka", "kafka-2", "kafka-3"):
        told = environment(name)
        assert {key: told["KAFKA_" + key.upper().replace(".", "_")] for key in same} == same


def test_the_databases_have_the_parameters_of_the_embedded_one(tmp_path: Path, missing: Missing) -> None:
    if missing.mongo:
        pytest.skip(missing.mongo)
    embedded = " ".join(Mongod(tmp_path / "mongo", tmp_path / "log").command()[1:]).replace("=", " ")
    for name in ("mongo", "mongo-2", "mongo-3"):
        for argument in services()[name]["command"][1:]:
            assert argument.replace("=", " ") in embedded
        assert "--setParameter=transactionLifetimeLimitSeconds=5" in services()[name]["command"]
        assert "--slowOpSampleRate=0" in services()[name]["command"]
