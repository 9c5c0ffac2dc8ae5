"""The two brokers for the tests of the bus alone (their poison is nobody else's), a database for each test."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from kairan.stack.kafka import ApacheKafka
from kairan.stack.tansu import Tansu
from shared.bus import topics
from shared.store.mongo import Store
from tests.conftest import Missing, started, type_of
from tests.contract.bus.bench import Bus


@pytest.fixture(scope="package", params=["apache", "tansu"])
async def broker(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, missing: Missing
) -> AsyncIterator[ApacheKafka | Tansu]:
    """Each of the two brokers in turn; tests marked `apache` get only the first."""
    if why := getattr(missing, request.param):
        pytest.skip(why)
    folder = tmp_path_factory.mktemp(request.param)
    async with started(type_of[request.param](folder / "data", folder / "log")) as part:
        yield part


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drops the light broker's variant of tests marked `apache`: it has no idempotence, no transactions and no disk."""
    dropped = [item for item in items if item.get_closest_marker("apache") and _on_tansu(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def _on_tansu(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("broker") == "tansu"


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
