"""Membership under test, on the session's broker and database."""

import uuid
from collections.abc import AsyncIterator

import pytest

from kairan.stack.kafka import ApacheKafka
from services.membership.app import build
from shared.bus import topics
from tests.services.membership.world import Running, World

SCOPES = ("members:read", "members:write", "history:write")


@pytest.fixture(scope="package")
async def running(
    mongo_uri: str, kafka: ApacheKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    await topics.apply(kafka.bootstrap)
    async with Running(mongo_uri, kafka.bootstrap, tmp_path_factory.mktemp("membership")) as running:
        yield running


@pytest.fixture(scope="package")
async def membership(running: Running) -> World:
    """The service on the wall clock."""
    return await running.start(build, f"membership_{uuid.uuid4().hex[:8]}", SCOPES)


@pytest.fixture(scope="package")
async def streamed(running: Running) -> World:
    """The service on the clock of a stream."""
    return await running.start(build, f"membership_stream_{uuid.uuid4().hex[:8]}", SCOPES, clock="stream")
