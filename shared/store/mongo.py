"""The one door to MongoDB: nothing else in the project names its driver (ADR 0002)."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from bson.binary import Binary
from bson.int64 import Int64
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import DeleteMany, DeleteOne, InsertOne, ReplaceOne, UpdateMany, UpdateOne
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

__all__ = [
    "Binary",
    "BulkWriteError",
    "Collection",
    "Database",
    "DeleteMany",
    "DeleteOne",
    "Direct",
    "Document",
    "InsertOne",
    "Int64",
    "ReplaceOne",
    "Session",
    "Store",
    "StoreError",
    "StoreTimeout",
    "TryAgain",
    "UpdateMany",
    "UpdateOne",
    "insert_new",
    "is_duplicate",
    "is_infrastructure",
]

T = TypeVar("T")
Document = dict[str, Any]
Database = Any
Collection = Any
Session = Any
StoreError = PyMongoError
StoreTimeout = ExecutionTimeout

_DUPLICATE = 11000
_DURABLE = WriteConcern(w="majority", j=True)
_TOGETHER_MOST = 8
_IDLE_S = 60.0  # the server forgets a session after 30 minutes
_NOT_THERE_YET = frozenset({"TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult"})


class Direct:
    """Collections and session for calls that block: for the steps of `Store.together` alone."""

    def __init__(self, database: Database, session: Session) -> None:
        self._database = database.delegate
        self.session: Any = None if session is None else session.delegate

    def collection(self, name: str) -> Collection:
        return self._database[name]


class TryAgain(Exception):
    """Raised by the work of a transaction: what it found makes it begin anew, in a new transaction."""


def is_duplicate(error: BaseException) -> bool:
    """Whether a unique index (or `_id`) refused a write."""
    if isinstance(error, BulkWriteError):
        return any(one.get("code") == _DUPLICATE for one in (error.details or {}).get("writeErrors", ()))
    return isinstance(error, DuplicateKeyError)


async def insert_new(collection: Collection, rows: Sequence[Document]) -> list[int]:
    """Inserts rows, and leaves those alone whose `_id` was there: their indexes. For use outside a transaction."""
    try:
        await collection.insert_many(rows, ordered=False)
    except BulkWriteError as error:
        refused = (error.details or {}).get("writeErrors", ())
        if not refused or any(one["code"] != _DUPLICATE for one in refused):
            raise
        return [one["index"] for one in refused]
    return []


def is_infrastructure(error: BaseException) -> bool:
    """Whether waiting may help: the database is away, electing or overloaded; the data are not at fault."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WTimeoutError):
        return True
    if not isinstance(error, PyMongoError):
        return False
    if any(error.has_error_label(label) for label in _NOT_THERE_YET):
        return True
    return isinstance(error, OperationFailure) and error.code in _TRANSIENT_CODES


_TRANSIENT_CODES = frozenset(
    {6, 7, 24, 50, 63, 89, 91, 112, 133, 134, 189, 225, 244, 246, 251, 262, 317, 358, 384, 9001, 10107, 11600, 11602}
    | {13388, 13435, 13436}
)


class Store:
    """One service's database: durable writes (majority, journaled), transactions that are retried.

    Connecting is lazy; a database that is away shows in `ready()` and in the errors of the calls, not here.
    """

    def __init__(self, uri: str, database: str, app_name: str = "kairan", pool: int = 50) -> None:
        self.client: Any = AsyncIOMotorClient(
            uri,
            appname=app_name,
            tz_aware=True,
            uuidRepresentation="standard",
            serverSelectionTimeoutMS=5_000,
            connectTimeoutMS=2_000,
            socketTimeoutMS=30_000,
            maxPoolSize=pool,
            retryWrites=True,
        )
        self.name = database
        self.db: Database = self.client.get_database(
            database, write_concern=_DURABLE, read_concern=ReadConcern("majority")
        )
        self._idle: list[tuple[Session, float]] = []
        self._threads = ThreadPoolExecutor(_TOGETHER_MOST, thread_name_prefix=f"{database}-together")

    def collection(self, name: str) -> Collection:
        return self.db[name]

    async def ready(self) -> bool:
        """Whether the database takes writes right now (a writable primary answers)."""
        try:
            hello = await self.db.command("hello", maxTimeMS=1_000)
        except PyMongoError:
            return False
        return bool(hello.get("isWritablePrimary"))

    async def server_time_ms(self) -> int:
        """The server's clock in Unix milliseconds: leases and orders lean on no host's clock."""
        hello = await self.db.command("hello")
        return int(hello["localTime"].timestamp() * 1000)

    async def together(self, session: Session, step: Callable[[Direct], T]) -> T:
        """Runs `step` on a thread: several calls of a transaction, one right after the other.

        Each call that is awaited waits for the loop twice, which in a busy process takes as long as the database does
        (ADR 0019). Raises what `step` raises. Who is cancelled meanwhile waits for the end of `step`: what it did after
        its transaction was aborted it would do outside of one.
        """
        running = asyncio.get_running_loop().run_in_executor(self._threads, step, Direct(self.db, session))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            while not running.done():
                with suppress(asyncio.CancelledError):  # asked once more
                    await asyncio.wait([running])
            running.exception()
            raise

    async def transaction(
        self,
        work: Callable[[Session], Awaitable[T]],
        *,
        last: Callable[[Direct], None] | None = None,
        patience_s: float = 10.0,
    ) -> T:
        """Runs `work(session)` in one transaction: snapshot reads, majority and journaled commit.

        `last` is the transaction's last step, `together` with the commit. Both may run several times (they must have no
        effect but their writes under the session). Transient errors, TryAgain and unknown commit results are retried
        for `patience_s` seconds, then raised; any other error aborts and is raised.
        """
        deadline = time.monotonic() + patience_s
        attempt = 0
        async with self._session() as session:
            while True:
                attempt += 1
                try:
                    session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=_DURABLE)
                    result = await work(session)
                    await self._commit(session, deadline, last)
                    return result
                except BaseException as error:
                    if session.in_transaction:
                        await _abort_quietly(session)
                    if not (_is_transient(error) or isinstance(error, TryAgain)) or time.monotonic() > deadline:
                        raise
                await asyncio.sleep(random.uniform(0.001, 0.01 * min(attempt, 20)))

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """One that lies idle, or a new one; to begin and end one for each transaction costs two calls more."""
        session = await self._from_idle() or await self.client.start_session()
        try:
            yield session
        except BaseException:
            await session.end_session()
            raise
        self._idle.append((session, time.monotonic()))

    async def _from_idle(self) -> Session | None:
        while self._idle:
            session, since = self._idle.pop()
            if time.monotonic() - since < _IDLE_S:
                return session
            await session.end_session()
        return None

    async def _commit(self, session: Session, deadline: float, last: Callable[[Direct], None] | None) -> None:
        def end(direct: Direct) -> None:
            nonlocal last
            if last is not None:
                last(direct)
                last = None  # a commit of which nobody knows is repeated alone
            direct.session.commit_transaction()

        while True:
            try:
                await self.together(session, end)
                return
            except PyMongoError as error:
                unknown = error.has_error_label("UnknownTransactionCommitResult")
                if not unknown or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """A session whose reads all see one majority-committed moment."""
        async with await self.client.start_session(snapshot=True) as session:
            yield session

    @asynccontextmanager
    async def watch(
        self, collection: str, pipeline: Sequence[Mapping[str, Any]] = (), *, full_document: bool = False
    ) -> AsyncIterator[Any]:
        """A change stream of one collection; `async for change in stream`. Raises StoreError when it breaks."""
        options = {"full_document": "updateLookup"} if full_document else {}
        async with self.db[collection].watch(list(pipeline), max_await_time_ms=1_000, **options) as stream:
            yield stream

    async def ensure_expiry(self, collection: str, field: str, after_s: int) -> None:
        """Documents of `collection` vanish `after_s` seconds after the time in `field` (a TTL index)."""
        await self.db[collection].create_index(field, expireAfterSeconds=after_s, name=f"{field}_expiry")

    async def close(self) -> None:
        self._threads.shutdown(wait=False)
        self.client.close()


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, PyMongoError) and error.has_error_label("TransientTransactionError")


async def _abort_quietly(session: Session) -> None:
    try:
        await session.abort_transaction()
    except PyMongoError:
        return
