"""A stack of the test's own that may be broken, a receiver of webhooks, and how long the long proofs run."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kairan.stack.stack import Stack
from tests.conftest import Missing
from tests.faults.proof import Receiver, subscribe


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether the long proofs run in full (`make prove`) or for 20 s each (`make test`)."""
    return os.environ.get("KAIRAN_PROVE") == "full"


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Prints a figure that a proof saw, whatever is captured."""
    writer = request.config.get_terminal_writer()
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        with capture.global_and_fixture_disabled():
            writer.line(f"\n{request.node.name}: {line}")

    return tell


@pytest.fixture
async def stack(tmp_path: Path, missing: Missing) -> AsyncIterator[Stack]:
    if missing.apache:
        pytest.skip(missing.apache)
    async with Stack(tmp_path / "home", kafka="apache", say=print) as stack:
        await stack.wait_ready()
        yield stack


@pytest.fixture
async def receiver(stack: Stack) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    await receiver.start()
    await subscribe(stack, receiver)
    yield receiver
    await receiver.stop()
