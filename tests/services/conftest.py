"""Starts a service under test on a broker that the services share and the session's database."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from kairan.stack.kafka import ApacheKafka
from shared.bus import topics
from shared.settings import Address, ServiceSettings
from shared.web.tokens import ensure_keys
from tests.conftest import Missing, started
from tests.services.world import World, running

Start = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[ApacheKafka]:
    """The services' Apache Kafka; to kill one, take `own_kafka`."""
    if missing.apache:
        pytest.skip(missing.apache)
    folder = tmp_path_factory.mktemp("kafka")
    async with started(ApacheKafka(folder / "data", folder / "log")) as part:
        yield part


@pytest.fixture(scope="session")
async def start(mongo_uri: str, kafka: ApacheKafka, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """`start(build, name, scopes, **settings)` is the running service, spoken to with a token of these scopes."""
    await topics.apply(kafka.bootstrap)
    keys = tmp_path_factory.mktemp("keys")
    key = ensure_keys(keys)

    def start(build: Any, name: str, scopes: tuple[str, ...], **settings: Any) -> AbstractAsyncContextManager[World]:
        said = ServiceSettings(
            mongo=mongo_uri,
            kafka=kafka.bootstrap,
            jwks_file=keys / "jwks.json",
            bind=Address("127.0.0.1", 0),
            instance=f"{name}_{uuid.uuid4().hex[:8]}",
            **settings,
        )
        return running(build, said, key, scopes)

    return start
