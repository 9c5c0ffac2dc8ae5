"""Membership under test, on the session's broker and database."""

from collections.abc import AsyncIterator

import pytest

from services.membership.app import build
from tests.services.conftest import Start
from tests.services.world import World

SCOPES = ("members:read", "members:write", "history:write")


@pytest.fixture(scope="package")
async def membership(start: Start) -> AsyncIterator[World]:
    """The service on the wall clock."""
    async with start(build, "membership", SCOPES) as world:
        yield world


@pytest.fixture(scope="package")
async def streamed(start: Start) -> AsyncIterator[World]:
    """The service on the clock of a stream."""
    async with start(build, "membership_stream", SCOPES, clock="stream") as world:
        yield world
