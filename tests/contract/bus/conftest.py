"""A database of the test's own and the declared topics on the broker, for the tests of the bus."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kairan.stack.kafka import ApacheKafka
from kairan.stack.tansu import Tansu
from shared.bus import topics
from shared.store.mongo import Store
from tests.contract.bus.bench import Bus


@pytest.fixture
async def store(mongo_uri: str) -> AsyncIterator[Store]:
    store = Store(mongo_uri, f"bus_{uuid.uuid4().hex[:12]}")
    yield store
    await store.client.drop_database(store.name)
    await store.close()


@pytest.fixture
async def bus(broker: ApacheKafka | Tansu, store: Store) -> AsyncIterator[Bus]:
    """The bus on one of the two brokers, with the write side running."""
    await topics.apply(broker.bootstrap)
    bus = Bus(broker.bootstrap, broker.kind, store)
    await bus.start()
    yield bus
    await bus.stop()


@pytest.fixture
def make_bus(store: Store) -> Callable[[str, str], Awaitable[Bus]]:
    """A bus on a broker of the test's own."""

    async def make(bootstrap: str, kind: str) -> Bus:
        await topics.apply(bootstrap)
        bus = Bus(bootstrap, kind, store)
        await bus.start()
        return bus

    return make
