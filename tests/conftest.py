"""Real parts for every test: one mongod a session, brokers and more on request, none left behind.

Each run has its own temporary folder and free ports, so runs live side by side; the parts die with pytest, however it
ends. Where memory is plenty the folder lies in it: what is killed here are processes, never the machine, and a disk
that stalls for seconds under two workers fences brokers and lets leases lapse, which says nothing about the code.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from kairan.stack.errors import MissingPart
from kairan.stack.jars import jars_problem, java_problem
from kairan.stack.kafka import ApacheKafka
from kairan.stack.mongod import Mongod, find_mongod
from kairan.stack.part import Part
from kairan.stack.tansu import Tansu, find_tansu

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("kairan", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kairan")

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 8 << 30


def _roomy(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    there = os.statvfs(folder)
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    runs_programs = not there.f_flag & os.ST_NOEXEC
    return runs_programs and there.f_bavail * there.f_frsize >= ENOUGH_BYTES and physical >= 2 * ENOUGH_BYTES


if not {"TMPDIR", "PYTEST_DEBUG_TEMPROOT"} & os.environ.keys() and _roomy(MEMORY):
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)  # read by pytest when the first folder is made

type_of = {"apache": ApacheKafka, "tansu": Tansu}
OwnKafka = Callable[..., Awaitable[ApacheKafka | Tansu]]
SomePart = TypeVar("SomePart", bound=Part)
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


@asynccontextmanager
async def started(part: SomePart) -> AsyncIterator[SomePart]:
    """The part, running."""
    await part.start()
    try:
        yield part
    finally:
        await part.stop(0)  # the data are thrown away: no need to wait for a graceful end


@pytest.fixture(scope="session")
async def mongo(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Mongod]:
    """The session's mongod. Use databases of your own name; do not kill it (that is `own_mongo`)."""
    if missing.mongo:
        pytest.skip(missing.mongo)
    folder = tmp_path_factory.mktemp("mongo")
    async with started(Mongod(folder / "data", folder / "mongo.log")) as part:
        yield part


@pytest.fixture(scope="session")
def mongo_uri(mongo: Mongod) -> str:
    return mongo.uri


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
            return await exits.enter_async_context(started(part))

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
            return await exits.enter_async_context(started(part))

        yield make
