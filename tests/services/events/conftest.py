"""Events under test, on the session's broker and database."""

from collections.abc import AsyncIterator

import pytest

from services.events.app import build
from tests.services.conftest import Start
from tests.services.world import World

SCOPES = (
    *("sessions:read", "sessions:write", "archives:read", "archives:write"),
    *("history:write", "clock:write"),
)


@pytest.fixture(scope="package")
async def events(start: Start) -> AsyncIterator[World]:
    """The service on the wall clock."""
    async with start(build, "events", SCOPES) as world:
        yield world


@pytest.fixture(scope="package")
async def streamed(start: Start) -> AsyncIterator[World]:
    """The service on the clock of a stream."""
    async with start(build, "events_stream", SCOPES, clock="stream") as world:
        yield world
