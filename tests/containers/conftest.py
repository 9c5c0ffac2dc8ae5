"""Containers for the tests: skipped, with the reason, where no Docker Engine or no image is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import OwnKafka
from tests.containers.engine import why_no_engine
from tests.contract.bus.conftest import bus, make_bus, store
from tests.faults.conftest import full, tell

if TYPE_CHECKING:
    from tests.containers.parts import Kafka

__all__ = ["bus", "full", "make_bus", "store", "tell"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of the contract's tests that choose their broker, those for the light one have no container to run on."""
    dropped = [item for item in items if _is_ours(item) and "tansu" in _params(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def _is_ours(item: pytest.Item) -> bool:
    return "containers" in item.path.parts


def _params(item: pytest.Item) -> list[Any]:
    callspec = getattr(item, "callspec", None)
    return list(callspec.params.values()) if callspec else []


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    if why := why_no_engine():
        pytest.skip(why)


@asynccontextmanager
async def started(container: Any) -> AsyncIterator[Any]:
    """The container, running; removed with its data afterwards."""
    try:
        await asyncio.to_thread(container.start)
        yield container
    finally:
        await asyncio.to_thread(container.stop)


@pytest.fixture(scope="session")
async def mongo_uri(engine: None) -> AsyncIterator[str]:
    """Stands in for the embedded mongod in every fixture that asks for its URI."""
    from tests.containers.parts import Mongo

    async with started(Mongo()) as mongo:
        yield mongo.uri


@pytest.fixture(scope="session")
async def broker(engine: None) -> AsyncIterator["Kafka"]:
    from tests.containers.parts import Kafka

    async with started(Kafka()) as kafka:
        yield kafka


@pytest.fixture
async def own_kafka(engine: None) -> AsyncIterator[OwnKafka]:
    """A broker of the test's own, as in the embedded tests."""
    from tests.containers.parts import Kafka

    async with AsyncExitStack() as exits:

        async def make(kind: str = "apache") -> Any:
            return await exits.enter_async_context(started(Kafka()))

        yield make
