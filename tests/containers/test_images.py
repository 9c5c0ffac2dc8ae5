"""What is in the four images: the project's own files and their wheels; no secret, no tool to install or build with."""

import json
import subprocess
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.containers.engine import SERVICES, docker, image_of, why_no_images
from tests.deploy.compose_file import ROOT

LOOK = """
import importlib.util, json, os, pathlib, shutil, subprocess, sys
tools = [name for name in sys.argv[1].split() if shutil.which(name)]
modules = [name for name in sys.argv[2].split() if importlib.util.find_spec(name)]
outside = [name for name in sys.argv[2].split() if subprocess.run(
    [sys._base_executable, "-I", "-c", f"import {name}"], capture_output=True).returncode == 0]
files, secrets, writable = [], [], []
for folder, folders, names in os.walk("/"):
    folders[:] = [name for name in folders if folder != "/" or name not in ("proc", "sys", "dev")]
    for name in names:
        path = os.path.join(folder, name)
        files.append(path)
        if not os.path.islink(path) and os.access(path, os.W_OK):
            writable.append(path)
        try:
            head = open(path, "rb").read() if os.path.isfile(path) and os.path.getsize(path) < 20_000 else b""
        except OSError:
            continue
        if b"PRIVATE KEY-----\\nM" in head or name in (".env", ".netrc", ".pypirc", "pip.conf", "id_rsa", "ca.pem"):
            secrets.append(path)
print(json.dumps({"tools": tools, "modules": modules, "outside": outside, "files": files, "secrets": secrets,
                  "writable": writable}))
"""
TOOLS = "pip pip3 uv gcc cc g++ make git hatch poetry java mongod mvn"
MODULES = "pip setuptools wheel ensurepip fiftyone pytest testcontainers hatchling confluent_kafka"


@pytest.fixture(scope="module", params=SERVICES)
def image(request: pytest.FixtureRequest, engine: None) -> str:
    name = image_of(request.param)
    if why := why_no_images(name):
        pytest.skip(why)
    return name


@pytest.fixture(scope="module")
def inside(image: str) -> dict[str, Any]:
    """What a process in the image finds there."""
    found = docker("run", "--rm", "--network", "none", "--read-only", image, "python", "-c", LOOK, TOOLS, MODULES)
    return dict(json.loads(found))


@pytest.fixture(scope="module")
def config(image: str) -> dict[str, Any]:
    return dict(json.loads(docker("image", "inspect", image))[0]["Config"])


def test_the_folder_of_the_application_holds_the_projects_files_and_no_other(inside: dict[str, Any]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "shared", "services", "kairan"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = {path for path in inside["files"] if path.startswith("/app/") and "/__pycache__/" not in path}
    assert found == {f"/app/{name}" for name in listed.stdout.split()}


def test_nothing_is_there_to_install_or_build_with(inside: dict[str, Any]) -> None:
    assert (inside["tools"], inside["modules"], inside["outside"]) == ([], [], [])


def test_no_secret_is_there_and_no_file_that_the_process_may_change(inside: dict[str, Any]) -> None:
    assert inside["secrets"] == []
    assert inside["writable"] == []
    assert not [path for path in inside["files"] if path.startswith(("/var/lib/kairan/", "/etc/kairan/"))]
    assert not [path for path in inside["files"] if _is_hidden_at_roots_home(PurePosixPath(path))]
    assert not [path for path in inside["files"] if "/.git/" in path or path.startswith("/app/tests")]


def _is_hidden_at_roots_home(path: PurePosixPath) -> bool:
    return path.parts[1] == "root" and path.parts[2].startswith(".")


def test_nothing_of_the_build_is_told_by_the_image(image: str, config: dict[str, Any]) -> None:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
    assert "PIP_" not in history
    assert not [name for name in config["Env"] if name.startswith("PIP_")]


def test_it_runs_as_nobody_in_particular_and_says_what_it_is(image: str, config: dict[str, Any]) -> None:
    service = image.split("/")[1].split(":")[0]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", f"services.{service}.app"], "exec form: SIGTERM reaches python"
    assert config["Entrypoint"] in (None, [])
    assert "/opt/kairan/alive.py" in config["Healthcheck"]["Test"]
    assert config["Labels"]["org.opencontainers.image.version"] not in ("", "unknown")
    assert config["Labels"]["org.opencontainers.image.title"] == f"Kairan {service}"


def test_the_command_line_works_without_a_stack(image: str) -> None:
    home = ("--tmpfs", "/tmp:mode=1777", "--env", "KAIRAN_HOME=/tmp/home")
    token = docker(
        "run", "--rm", "--read-only", "--network", "none", *home, image, "kairan", "token", "--scope", "members:read"
    )
    assert token.count(".") == 2
