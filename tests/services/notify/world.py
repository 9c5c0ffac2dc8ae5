"""Notify under test: its processes inside this one, on a real database and broker; events are put on the bus."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from cryptography.fernet import Fernet

from services.notify.app import build
from services.notify.networks import parse_networks
from services.notify.settings import Settings
from shared.bus.topics import TOPICS
from shared.catalogue import CATALOGUE, Envelope, Event, EventData, MemberJoined, decode, encode
from shared.settings import Address
from shared.store.mongo import Store
from shared.web.service import ServiceApp
from shared.web.tokens import ensure_keys, issue
from tests.services.notify.receiver import Receiver

SCOPES = ("endpoints:read", "endpoints:write", "endpoints:trusted")
DISCLOSURE = {"legal_basis": "consent", "recipient": "a receiver", "country": "JP", "purpose": "to test"}
_PARTITIONS = {topic.name: topic.partitions for topic in TOPICS}


@dataclass(frozen=True)
class World:
    """One database, one broker; `running()` is one process of the service on them."""

    settings: Settings
    database: str
    store: Store
    producer: AIOKafkaProducer
    folder: Path

    @asynccontextmanager
    async def running(self, instance: str, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the API of a process named `instance`."""
        service = build(self.settings.model_copy(update={"instance": instance, **changed}), self.database)
        async with service.running(), self.client(service) as client:
            yield client

    def client(self, service: ServiceApp) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=service.app), base_url="http://notify", headers=self.caller(*SCOPES)
        )

    def caller(self, *scopes: str, subject: str = "tester") -> dict[str, str]:
        """The headers of a caller with these scopes."""
        return {"Authorization": f"Bearer {issue(ensure_keys(self.folder), subject, scopes)}"}

    async def publish(self, *events: Event) -> None:
        """Puts events on the bus, as a relay does: the record's time is the wall's."""
        for event in events:
            record = encode(event)
            await self.producer.send(record.topic, record.value, record.key, headers=record.headers)
        await self.producer.flush()

    async def published(self, topic: str, subject: str) -> list[Event]:
        """All events about `subject` that are on a topic now, in order."""
        async with AIOKafkaConsumer(bootstrap_servers=self.settings.kafka, enable_auto_commit=False) as consumer:
            places = [TopicPartition(topic, n) for n in range(_PARTITIONS[topic])]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            records: list[Any] = []
            while [place for place in places if await consumer.position(place) < ends[place]]:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += batch
        found = [decode(one.topic, one.key, one.value, one.headers, wanted=None) for one in records]
        return [event for event in found if isinstance(event, Event) and event.envelope.subject == subject]


@asynccontextmanager
async def new_world(mongo_uri: str, bootstrap: str, folder: Path) -> AsyncIterator[World]:
    """A database of its own, dropped at the end; receivers on loopback are allowed, retries follow at once."""
    ensure_keys(folder)
    (folder / "notify-secrets.key").write_bytes(Fernet.generate_key())
    settings = Settings(
        kafka=bootstrap,
        mongo=mongo_uri,
        bind=Address("127.0.0.1", 0),
        jwks_file=folder / "jwks.json",
        notify_secrets_key_file=folder / "notify-secrets.key",
        notify_allow_private=parse_networks("127.0.0.0/8"),
        notify_retry_delays_s=(0, 0.05, 0.05),
        notify_timeout_s=60,  # no test waits for it; on a busy machine none may meet it by accident
        notify_probe_s=0.05,
        notify_probe_most_s=0.1,
        notify_most_endpoints=10_000,
    )
    database = f"notify_{uuid.uuid4().hex[:8]}"
    store = Store(mongo_uri, database)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        try:
            yield World(settings, database, store, producer, folder)
        finally:
            await store.client.drop_database(database)
            await store.close()


class Register(Protocol):
    """Makes an endpoint at a receiver, which from now on verifies what is signed; the answer is the endpoint's id."""

    async def __call__(self, receiver: Receiver, *event_types: str, **fields: Any) -> str: ...


@asynccontextmanager
async def registering(client: httpx.AsyncClient) -> AsyncIterator[Register]:
    """Endpoints made by it are deleted at the end, so that no test hears of another's."""
    made: list[str] = []

    async def register(receiver: Receiver, *event_types: str, **fields: Any) -> str:
        wanted: dict[str, Any] = {"event_types": event_types} if event_types else {}
        if fields.get("identifiers") == "real":
            wanted["disclosure"] = DISCLOSURE
        answer = await client.post("/v1/endpoints", json={"url": receiver.url, **wanted, **fields})
        assert answer.status_code == 201, answer.text
        receiver.secret = answer.json().get("secret")
        made.append(answer.json()["id"])
        return made[-1]

    yield register
    for endpoint in made:
        await client.delete(f"/v1/endpoints/{endpoint}")


def about(data: EventData, subject: str | None = None) -> Event:
    """A fact that happened now, as a service would state it."""
    entry = CATALOGUE.for_model(type(data))
    now = datetime.now(UTC)
    return Event(
        Envelope(
            id=str(uuid.uuid4()),
            source=f"/kairan/{entry.publisher}",
            type=entry.type,
            subject=subject or str(uuid.uuid4()),
            time=now,
            recorded_time=now,
            aggregate_version=1,
        ),
        data,
    )


def joined(member_id: str | None = None) -> Event:
    return about(MemberJoined(source="search"), member_id)
