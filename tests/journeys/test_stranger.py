"""A stranger subscribes with what the documentation prints: a few lines of Python, a line of kcat, nothing of ours."""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kairan.stack.stack import Stack
from tests.conftest import Missing
from tests.journeys.talk import Visitor, until

ROOT = Path(__file__).parents[2]
SUBSCRIBERS = ROOT / "docs" / "subscribers.md"
PATIENCE_S = 120

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Stack]:
    """Apache Kafka and who publishes to it: nobody else is asked here."""
    if why := missing.apache or missing.mongo:
        pytest.skip(why)
    home = tmp_path_factory.mktemp("stranger") / "home"
    async with Stack(home, services=("membership",), kafka="apache", mongo="", say=print) as stack:
        await stack.wait_ready()
        yield stack


def printed(name: str, document: Path = SUBSCRIBERS) -> str:
    """The code block under the comment `<!-- run: NAME -->`."""
    found = re.search(rf"<!-- run: {name} -->\n```\w+\n(.*?)```", document.read_text(), re.DOTALL)
    assert found, f"{document} has no block to run named {name}"
    return found[1]


@asynccontextmanager
async def running(stack: Stack, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that knows the broker's address and nothing else of ours."""
    env = {"PATH": os.environ["PATH"], "KAFKA": stack.bootstrap}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd="/", env=env, stdout=pipe)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def lines_with(process: asyncio.subprocess.Process, *words: str) -> list[str]:
    """The first line of the output for each of these words, once all have come."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < len(words):
            line = (await process.stdout.readline()).decode()
            assert line, f"the subscriber ended; it had found {found}"
            found |= {word: line for word in words if word in line and word not in found}
    return [found[word] for word in words]


async def test_ten_lines_of_python_read_who_joined_and_who_joins(stack: Stack, visitor: Visitor) -> None:
    script = printed("python")
    assert len(script.splitlines()) == 10
    before = await visitor.join(source="publication", occurred_at="2021-11-20T09:30:00+09:00")
    async with running(stack, sys.executable, "-c", script) as subscriber:
        (early,) = await lines_with(subscriber, before)
        assert early.split() == ["2021-11-20T00:30:00.000Z", before, "publication"]
        meanwhile = await visitor.join(source="broadcast")
        (live,) = await lines_with(subscriber, meanwhile)
        assert live.split()[1:] == [meanwhile, "broadcast"]


async def test_a_line_of_kcat_prints_who_joined(stack: Stack, visitor: Visitor) -> None:
    if shutil.which("kcat") is None:
        pytest.skip("kcat is not installed: apt-get install kcat")
    member = await visitor.join(source="session")
    await visitor.ask("DELETE", "membership", f"/v1/members/{member}", "members:write")

    async def told() -> list[str]:
        async with running(stack, "bash", "-o", "pipefail", "-c", printed("kcat")) as kcat:
            async with asyncio.timeout(PATIENCE_S):
                output, _ = await kcat.communicate()
        return [line for line in output.decode().splitlines() if line.startswith(member)]

    lines = await until(told, len)
    assert len(lines) == 1, "the leaving is another event"
    assert "ce_type=kairan.member-joined.v1" in lines[0]
    assert lines[0].endswith('"joined_precision":"hour"}')


def test_the_readme_shows_the_same_subscriber() -> None:
    assert printed("python", ROOT / "README.md") == printed("python")
