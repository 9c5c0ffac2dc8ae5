"""Metrics with a broker of its own for every test (its group hears all that is on it) and a fresh database."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from kairan.stack.kafka import ApacheKafka
from kairan.stack.mongod import Mongod
from kairan.stack.tansu import Tansu
from shared.bus import topics
from shared.store.mongo import Store
from tests.conftest import OwnKafka, OwnMongo
from tests.services.metrics.replicas import Metrics, keys_in


@pytest.fixture
async def metrics(
    mongo_uri: str, own_kafka: OwnKafka, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Metrics]:
    """Metrics without a replica yet; on the light broker, unless a test asks for `ON_APACHE`."""
    async with metrics_on(mongo_uri, await own_kafka(getattr(request, "param", "tansu")), tmp_path) as metrics:
        yield metrics


@pytest.fixture
async def mongod(own_mongo: OwnMongo) -> Mongod:
    """A database server of the test's own, to be killed."""
    return await own_mongo()


@pytest.fixture
async def metrics_on_own_mongo(mongod: Mongod, own_kafka: OwnKafka, tmp_path: Path) -> AsyncIterator[Metrics]:
    """Metrics on `mongod`."""
    async with metrics_on(mongod.uri, await own_kafka("tansu"), tmp_path) as metrics:
        yield metrics


@asynccontextmanager
async def metrics_on(mongo_uri: str, kafka: ApacheKafka | Tansu, folder: Path) -> AsyncIterator[Metrics]:
    """Metrics on these parts, with a database that is dropped at the end; its keys lie in the folder."""
    await topics.apply(kafka.bootstrap)
    store = Store(mongo_uri, f"metrics_{uuid.uuid4().hex[:12]}")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        keys = folder / "keys"
        metrics = Metrics(kafka.bootstrap, kafka.kind, mongo_uri, keys, keys_in(keys), store, producer)
        yield metrics
        await asyncio.gather(*(replica.stop() for replica in metrics.replicas))
    await store.client.drop_database(store.name)
    await store.close()
