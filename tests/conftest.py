"""Real parts for every test: one mongod and one Apache Kafka a session, more on request, none left behind.

Each run has its own temporary folder and free ports, so runs live side by side; the parts die with pytest, however it
ends.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from kairan.stack.errors import MissingPart
from kairan.stack.jars import jars_problem, java_problem
from kairan.stack.kafka import ApacheKafka
from kairan.stack.mongod import Mongod, find_mongod
from kairan.stack.part import Part
from kairan.stack.tansu import Tansu, find_tansu

type_of = {"apache": ApacheKafka, "tansu": Tansu}
OwnKafka = Callable[..., Awaitable[ApacheKafka | Tansu]]
OwnMongo = Callable[[], Awaitable[Mongod]]


@dataclass(frozen=True)
class Missing:
    """Why a part cannot run on this machine; None when it can."""

    apache: str | None
    tansu: str | None
    mongo: str | None


def _why(find: Callable[[], object]) -> str | None:
    try:
        find()
    except MissingPart as error:
        return str(error)
    return None


@pytest.fixture(scope="session")
def missing() -> Missing:
    return Missing(apache=java_problem() or jars_problem(), tansu=_why(find_tansu), mongo=_why(find_mongod))


async def _started(part: Part, exits: AsyncExitStack) -> None:
    await part.start()
    exits.push_async_callback(part.stop, 0)  # the data are thrown away: no need to wait for a graceful end


@pytest.fixture(scope="session")
async def mongo(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Mongod]:
    """The session's mongod. Use databases of your own name; do not kill it (that is `own_mongo`)."""
    if missing.mongo:
        pytest.skip(missing.mongo)
    folder = tmp_path_factory.mktemp("mongo")
    async with AsyncExitStack() as exits:
        part = Mongod(folder / "data", folder / "mongo.log")
        await _started(part, exits)
        yield part


@pytest.fixture(scope="session")
def mongo_uri(mongo: Mongod) -> str:
    return mongo.uri


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[ApacheKafka]:
    """The session's Apache Kafka: `.bootstrap`, `.kind`. Use topics of your own name; to kill one, take `own_kafka`."""
    if missing.apache:
        pytest.skip(missing.apache)
    folder = tmp_path_factory.mktemp("kafka")
    async with AsyncExitStack() as exits:
        part = ApacheKafka(folder / "data", folder / "kafka.log")
        await _started(part, exits)
        yield part


@pytest.fixture(scope="session")
async def tansu(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Tansu]:
    """The session's light broker."""
    if missing.tansu:
        pytest.skip(missing.tansu)
    folder = tmp_path_factory.mktemp("tansu")
    async with AsyncExitStack() as exits:
        part = Tansu(folder / "data", folder / "tansu.log")
        await _started(part, exits)
        yield part


@pytest.fixture(scope="session", params=["apache", "tansu"])
def broker(request: pytest.FixtureRequest) -> ApacheKafka | Tansu:
    """Each of the two brokers in turn, for the contract tests of the bus; tests marked `apache` get only the first."""
    name = {"apache": "kafka", "tansu": "tansu"}[request.param]
    part: ApacheKafka | Tansu = request.getfixturevalue(name)
    return part


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
async def own_kafka(tmp_path: Path, missing: Missing) -> AsyncIterator[OwnKafka]:
    """`await own_kafka(kind="apache")` gives a broker of the test's own, with `kill()` and `restart()`."""
    async with AsyncExitStack() as exits:
        count = 0

        async def make(kind: str = "apache") -> ApacheKafka | Tansu:
            nonlocal count
            count += 1
            if why := getattr(missing, kind):
                pytest.skip(why)
            folder = tmp_path / f"{kind}, 回覧 {count}"  # any name must do
            part: ApacheKafka | Tansu = type_of[kind](folder / "data", folder / "log")
            await _started(part, exits)
            return part

        yield make


@pytest.fixture
async def own_mongo(tmp_path: Path, missing: Missing) -> AsyncIterator[OwnMongo]:
    """`await own_mongo()` gives a mongod of the test's own, with `kill()` and `restart()`."""
    async with AsyncExitStack() as exits:
        count = 0

        async def make() -> Mongod:
            nonlocal count
            count += 1
            if missing.mongo:
                pytest.skip(missing.mongo)
            part = Mongod(tmp_path / f"mongo-{count}", tmp_path / f"mongo-{count}.log")
            await _started(part, exits)
            return part

        yield make
