"""A whole stack on Apache Kafka for the tests of one file, and a visitor who talks to it."""

from collections.abc import AsyncIterator

import httpx
import pytest

from kairan.stack.stack import Stack
from tests.conftest import Missing
from tests.journeys.talk import PATIENCE_S, Visitor


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Stack]:
    """Ready to be asked; its clock is the wall's."""
    if why := missing.apache or missing.mongo:
        pytest.skip(why)
    async with Stack(tmp_path_factory.mktemp("journey") / "home", kafka="apache", mongo="", say=print) as stack:
        await stack.wait_ready()
        yield stack


@pytest.fixture(scope="module")
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        yield Visitor(stack, http)
