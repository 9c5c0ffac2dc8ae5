"""Where a year or a stream is played: a stack of its own, or one after another on the same broker and database."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from kairan.stack.errors import BadSetting
from kairan.stack.keeper import Say
from kairan.stack.stack import Stack
from kairan.year.speaker import SCOPES, Speaker
from shared.store.mongo import Store

TOKEN_LASTS_S = 24 * 3600
DATABASES = ("kairan_membership", "kairan_events", "kairan_notify", "kairan_metrics")


def speaker_for(stack: Stack, key_prefix: str) -> Speaker:
    """A client of a stack that is ready, with every scope that playing needs."""
    return Speaker(stack.urls, lambda: stack.token(*SCOPES, expires_in_s=TOKEN_LASTS_S, subject="player"), key_prefix)


@asynccontextmanager
async def stage(home: Path, say: Say) -> AsyncIterator[Stack]:
    """A ready stack in `home` whose clock is the stream's. Raises `StackError`."""
    async with Stack(home, clock="stream", say=say) as stack:
        await stack.wait_ready()
        yield stack


class Ground:
    """One broker and one database, on which the services are started anew, over empty topics and databases, per stream.

    A ledger is of one stream, and the public APIs have no word for forgetting one: so the services begin again.
    """

    def __init__(self, home: Path, ground: Stack, say: Say) -> None:
        self._home, self._ground, self._say = home, ground, say

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[Stack]:
        """A ready stack that knows nothing yet. One at a time. Raises `StackError`."""
        await self._forget()
        services = Stack(
            self._home / "services",
            clock="stream",
            kafka=self._ground.bootstrap,
            mongo=self._ground.mongo_uri,
            env={"KAIRAN_KAFKA_KIND": self._ground.kind},
            say=self._say,
        )
        async with services as stack:
            await stack.wait_ready()
            yield stack

    async def _forget(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._ground.bootstrap)
        await admin.start()
        try:
            while topics := [name for name in await admin.list_topics() if name.startswith("kairan.")]:
                await admin.delete_topics(topics)
                await asyncio.sleep(0.1)
        finally:
            await admin.close()
        store = Store(self._ground.mongo_uri, DATABASES[0], "kairan-replay")
        try:
            for name in DATABASES:
                await store.db.client.drop_database(name)
        finally:
            await store.close()


@asynccontextmanager
async def ground(home: Path, say: Say) -> AsyncIterator[Ground]:
    """Broker and database in `home`, both its own, as they are emptied again and again. Raises `StackError`."""
    async with Stack(home, services=(), say=say) as stack:
        yield Ground(home, stack, say)


def refuse_foreign_parts(kafka: str, mongo: str) -> None:
    """Raises `BadSetting` when KAIRAN_KAFKA or KAIRAN_MONGO name a server: nobody's data are emptied here."""
    if mongo or kafka not in ("", "apache", "tansu"):
        raise BadSetting("--streams empties its broker and database between streams: unset KAIRAN_KAFKA, KAIRAN_MONGO")


def cancel_on_signals() -> None:
    """Ctrl-C, SIGTERM and SIGHUP cancel the running task, so that every `async with` stops what it started."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(sign, task.cancel)
