"""One running notify for this folder's tests, each with endpoints and members of its own."""

from collections.abc import AsyncIterator

import httpx
import pytest

from kairan.stack.kafka import ApacheKafka
from shared.bus import topics
from tests.services.notify.world import Register, World, new_world, registering


@pytest.fixture(scope="package")
async def world(mongo_uri: str, kafka: ApacheKafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    await topics.apply(kafka.bootstrap)
    async with new_world(mongo_uri, kafka.bootstrap, tmp_path_factory.mktemp("notify")) as world:
        yield world


@pytest.fixture(scope="package")
async def notify(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.running("notify-1") as client:
        yield client


@pytest.fixture
async def register(notify: httpx.AsyncClient) -> AsyncIterator[Register]:
    async with registering(notify) as register:
        yield register
