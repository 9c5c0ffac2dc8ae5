"""A service under test: in this process, on a real database and a real broker, spoken to over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.bus.topics import TOPICS
from shared.catalogue import Event, decode
from shared.settings import ServiceSettings
from shared.store.mongo import Store
from shared.web.service import ServiceApp
from shared.web.tokens import SigningKey, issue

_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}
Build = Callable[[ServiceSettings, str], ServiceApp]


@dataclass
class World:
    """A running service: `http` has a token with `scopes`; `as_caller` gives one with others."""

    http: httpx.AsyncClient
    app: ServiceApp
    store: Store
    key: SigningKey
    bootstrap: str

    def as_caller(self, *scopes: str, subject: str = "somebody") -> dict[str, str]:
        """The headers of a caller with these scopes."""
        return {"Authorization": f"Bearer {issue(self.key, subject, scopes)}"}

    async def published(self, topic: str, subject: str) -> list[Event]:
        """All events about `subject` on a topic, in order, once the outbox is empty."""
        return [record for record in await self.everything(topic) if record.envelope.subject == subject]

    async def everything(self, topic: str) -> list[Event]:
        """All events on a topic, in order per partition, once the outbox is empty."""
        await self.outbox_empty()
        events = []
        for record in await read_topic(self.bootstrap, topic):
            event = decode(record.topic, record.key, record.value, record.headers, wanted=None)
            assert isinstance(event, Event)
            events.append(event)
        return events

    async def outbox_empty(self) -> None:
        """Returns when Kafka has acknowledged every event of this service."""
        async with asyncio.timeout(60):
            while await self.store.collection("outbox").count_documents({}):  # noqa: ASYNC110  a database rings no bell
                await asyncio.sleep(0.01)

    async def dump(self) -> str:
        """Every document of the service's database, as text: whoever looks for a marker looks here."""
        found = []
        for name in await self.store.db.list_collection_names():
            found += [f"{name}: {document!r}" async for document in self.store.collection(name).find({})]
        return "\n".join(found)


@asynccontextmanager
async def running(
    build: Build, settings: ServiceSettings, key: SigningKey, scopes: Collection[str]
) -> AsyncIterator[World]:
    """The service of `build` on a database of its own, which is dropped at the end."""
    database = settings.instance
    async with AsyncExitStack() as exits:
        store = Store(settings.mongo, database)
        exits.push_async_callback(store.close)
        exits.push_async_callback(store.client.drop_database, database)
        app = build(settings, database)
        await exits.enter_async_context(app.running())
        headers = {"Authorization": f"Bearer {issue(key, 'tester', scopes)}"}
        http = await exits.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app.app), base_url="http://service", headers=headers)
        )
        yield World(http, app, store, key, settings.kafka)


async def read_topic(bootstrap: str, topic: str) -> list[Any]:
    """Every record that is on a topic now."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        places = [TopicPartition(topic, n) for n in range(_PARTITIONS[topic])]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        records: list[Any] = []
        async with asyncio.timeout(60):
            while [place for place in places if await consumer.position(place) < ends[place]]:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += batch
        return records
