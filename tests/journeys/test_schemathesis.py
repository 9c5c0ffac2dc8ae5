"""Schemathesis judges the four APIs of a real stack, with all of its checks, against what their documents promise."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kairan.stack.stack import Stack
from shared.web.auth import SCOPES

OPTIONS = ("--checks", "all", "--continue-on-failure", "--no-shrink", "--no-color", "--warnings", "off")
# In `make test` the same requests every time, so that a failure is the change's; the long proof looks further.
FEW = ("--max-examples", "6", "--generation-deterministic")
# The values that a schema's bounds suggest are thousands where filters are told: minutes, for the long proof.
TOO_MANY_BOUNDS = {"notify": ("--phases", "examples,fuzzing,stateful")}
MANY = ("--max-examples", "200", "--generation-database", "none")


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, missing: object) -> AsyncIterator[Stack]:
    """Everything on the broker that starts fastest: what is judged here is HTTP."""
    kafka = "apache" if getattr(missing, "tansu") else "tansu"  # noqa: B009
    async with Stack(tmp_path_factory.mktemp("schemathesis") / "home", kafka=kafka, mongo="") as stack:
        await stack.wait_ready()
        yield stack


@pytest.mark.prove
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("service", ["membership", "events", "notify", "metrics"])
async def test_an_api_keeps_what_its_document_promises(stack: Stack, service: str, tmp_path: Path) -> None:
    extent = MANY if os.environ.get("KAIRAN_PROVE") == "full" else (*FEW, *TOO_MANY_BOUNDS.get(service, ()))
    authorization = f"Authorization: Bearer {stack.token(*SCOPES)}"
    code, said = await judged(
        f"{stack.urls[service]}/openapi.json", "--header", authorization, *extent, folder=tmp_path
    )
    assert code == 0, said
    selected, tested = (re.search(rf"{word}: (\d+)", said) for word in ("Selected", "Tested"))
    assert selected, said
    assert tested, said
    assert selected[1] == tested[1], said


async def judged(document: str, *options: str, folder: Path) -> tuple[int | None, str]:
    """Runs schemathesis as its users do; its exit code, and all that it said."""
    judge = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", document, *OPTIONS, *options),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await judge.communicate()
    finally:
        if judge.returncode is None:
            judge.kill()
            await judge.wait()
    return judge.returncode, said.decode()
