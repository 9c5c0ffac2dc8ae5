"""Events under test, on the session's broker and database."""

import uuid
from collections.abc import AsyncIterator

import pytest

from kairan.stack.kafka import ApacheKafka
from services.events.app import build
from shared.bus import topics
from tests.services.membership.world import Running, World

SCOPES = (
    *("sessions:read", "sessions:write", "archives:read", "archives:write"),
    *("history:write", "clock:write"),
)


@pytest.fixture(scope="package")
async def running(
    mongo_uri: str, kafka: ApacheKafka, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    await topics.apply(kafka.bootstrap)
    async with Running(mongo_uri, kafka.bootstrap, tmp_path_factory.mktemp("events")) as running:
        yield running


@pytest.fixture(scope="package")
async def events(running: Running) -> World:
    """The service on the wall clock."""
    return await running.start(build, f"events_{uuid.uuid4().hex[:8]}", SCOPES)


@pytest.fixture(scope="package")
async def streamed(running: Running) -> World:
    """The service on the clock of a stream."""
    return await running.start(build, f"events_stream_{uuid.uuid4().hex[:8]}", SCOPES, clock="stream")
