"""What is missing or wrong on this machine and in the settings, so that a stack would not start; in words."""

import asyncio
import ipaddress
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from kairan.stack.choice import BrokerKind, check_bootstrap, check_mongo_uri
from kairan.stack.errors import StackError
from kairan.stack.external import wait_for_kafka, wait_for_mongo
from kairan.stack.home import Home
from kairan.stack.jars import KAFKA_VERSION, jars_cached, jars_folder, jars_problem, java_problem
from kairan.stack.mongod import mongod_version
from kairan.stack.ports import free_port, is_free
from kairan.stack.tansu import find_tansu
from shared.settings import ServiceSettings
from shared.web.tokens import KEY_FILE, load_key

NEEDED_DISK_BYTES = 1_000_000_000
REACH_TIMEOUT_S = 5.0
Verdict = Literal["ok", "note", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `note` is worth knowing; `wrong` keeps a stack from starting."""

    name: str
    verdict: Verdict
    words: str


def check_up(home: Home) -> list[Finding]:
    """Looks at everything, starting nothing that stays."""
    return [
        *_settings(),
        *_broker(os.environ.get("KAIRAN_KAFKA", "")),
        _database(os.environ.get("KAIRAN_MONGO", "")),
        *_home(home),
        _ports(),
    ]


def _finding(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, "ok", look())
    except StackError as error:
        return Finding(name, "wrong", str(error))


def _settings() -> Iterator[Finding]:
    wrong = [*_invalid_settings(), *_invalid_networks()]
    yield from (Finding("settings", "wrong", words) for words in wrong)
    if not wrong:
        yield Finding("settings", "ok", "the KAIRAN_ settings are valid")


def _invalid_settings() -> Iterator[str]:
    own = {
        "kafka": "127.0.0.1:1",
        "kafka_kind": "apache",
        "mongo": "mongodb://127.0.0.1",
    }  # judged apart from the others
    try:
        ServiceSettings(**own)  # type: ignore[arg-type]
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"])
            yield f"KAIRAN_{name.upper()}={problem['input']!r}: {problem['msg']}"


def _invalid_networks() -> Iterator[str]:
    for network in filter(None, os.environ.get("KAIRAN_NOTIFY_ALLOW_PRIVATE", "").replace(" ", "").split(",")):
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            yield f"KAIRAN_NOTIFY_ALLOW_PRIVATE names {network!r}: {error}"


def _broker(setting: str) -> Iterator[Finding]:
    kind: BrokerKind | None = {"apache": "apache", "tansu": "tansu"}.get(setting, "external" if setting else None)  # type: ignore[assignment]
    if kind == "external":
        yield _finding("kafka", lambda: _external_kafka(setting))
        return
    lacking = None if kind == "tansu" else java_problem() or jars_problem()
    if kind == "tansu" or (lacking and kind is None):
        if lacking:
            yield Finding("kafka", "note", f"{lacking}; until then the light broker runs, which keeps nothing")
        yield _finding("light broker", _light_broker)
    elif lacking:
        yield Finding("kafka", "wrong", f"KAIRAN_KAFKA=apache: {lacking}")
    else:
        yield _finding("kafka", _apache_kafka)


def _external_kafka(setting: str) -> str:
    asyncio.run(wait_for_kafka(check_bootstrap(setting), REACH_TIMEOUT_S))
    return f"a Kafka broker answers at {setting}"


def _light_broker() -> str:
    binary = find_tansu()
    try:
        subprocess.run([binary, "--version"], capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise StackError(f"the light broker {binary} does not run here: {error}") from error
    return "the light broker runs here; under it nothing is kept"


def _apache_kafka() -> str:
    if jars_cached():
        return f"Java is there, and Apache Kafka {KAFKA_VERSION} in {jars_folder()}"
    folder = _nearest(jars_folder())
    if not os.access(folder, os.W_OK):
        raise StackError(f"{folder} cannot be written, where the jars shall lie: set KAIRAN_CACHE to another folder")
    return (
        f"Java and Maven are there; the first start fetches Apache Kafka {KAFKA_VERSION} (45 MB) into {jars_folder()}"
    )


def _database(setting: str) -> Finding:
    if setting:
        return _finding("mongo", lambda: _external_mongo(setting))
    return _finding("mongo", lambda: f"mongod {mongod_version()} runs here")


def _external_mongo(setting: str) -> str:
    asyncio.run(wait_for_mongo(check_mongo_uri(setting), REACH_TIMEOUT_S))
    return "the replica set of KAIRAN_MONGO answers"


def _home(home: Home) -> Iterator[Finding]:
    yield _finding("home", lambda: _writable(home))
    yield _disk(home)
    yield from _keys(home)
    if home.is_locked():
        yield Finding("home", "note", f"a stack lives in {home.root} now: a second `kairan up` there refuses")


def _writable(home: Home) -> str:
    if home.root.exists():
        home.prepare()
        return f"{home.root} can be written"
    nearest = _nearest(home.root)
    try:
        with tempfile.TemporaryDirectory(dir=nearest, prefix=".kairan-doctor-"):
            pass
    except OSError as error:
        words = f"the home {home.root} cannot be made in {nearest} ({error.strerror}): name another by --home"
        raise StackError(words) from error
    return f"{home.root} can be made"


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(_nearest(home.root)).free
    words = f"{free / 1e9:.1f} GB are free for {home.root}"
    if free < NEEDED_DISK_BYTES:
        return Finding("disk", "wrong", f"only {words}; a stack needs {NEEDED_DISK_BYTES / 1e9:g} GB to begin with")
    return Finding("disk", "ok", words)


def _keys(home: Home) -> Iterator[Finding]:
    file = home.keys / KEY_FILE
    if file.exists():
        try:
            load_key(file)
        except (OSError, ValueError) as error:
            yield Finding(
                "keys", "wrong", f"{file} cannot be used ({error}): restore it, or remove it and issue new tokens"
            )


def _ports() -> Finding:
    try:
        port = free_port()
    except OSError as error:
        return Finding("ports", "wrong", f"no port of 127.0.0.1 can be opened: {error}")
    return Finding("ports", "ok" if is_free(port) else "note", "ports of 127.0.0.1 are free")


def _nearest(path: Path) -> Path:
    """The path itself, or the nearest folder above it that exists."""
    return next(one for one in (path, *path.parents) if one.exists())
