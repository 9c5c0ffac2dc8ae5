"""A broker of this package's own (its groups hear everything on it) and a fresh database for every test."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from shared.bus import topics
from shared.store.mongo import Store
from tests.conftest import OwnKafka
from tests.services.metrics.replicas import Metrics, keys_in


@pytest.fixture
async def metrics(
    mongo_uri: str, own_kafka: OwnKafka, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Metrics]:
    """Metrics without a replica yet; on the light broker, unless a test asks for `ON_APACHE`."""
    kafka = await own_kafka(getattr(request, "param", "tansu"))
    await topics.apply(kafka.bootstrap)
    store = Store(mongo_uri, f"metrics_{uuid.uuid4().hex[:12]}")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        metrics = Metrics(
            kafka.bootstrap, kafka.kind, mongo_uri, tmp_path / "keys", keys_in(tmp_path / "keys"), store, producer
        )
        yield metrics
        await asyncio.gather(*(replica.stop() for replica in metrics.replicas))
    await store.client.drop_database(store.name)
    await store.close()
