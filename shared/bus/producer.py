"""Producers with the settings that lose nothing; rebuilt after an error that cannot be retried."""

import asyncio
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

log = structlog.get_logger(__name__)


class Producer:
    """A lazily started, idempotent Kafka producer (`acks=all`, 5 ms linger, 128 KiB batches).

    `reset()` throws the client away after an error; the next use starts a fresh one. The light broker knows no
    idempotence: pass `idempotent=False` there.
    """

    def __init__(self, bootstrap: str, *, idempotent: bool, client_id: str, max_bytes: int = 1024 * 1024) -> None:
        self._options: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "client_id": client_id,
            "acks": "all",
            "enable_idempotence": idempotent,
            "linger_ms": 5,
            "max_batch_size": 128 * 1024,
            "max_request_size": max_bytes,
            "request_timeout_ms": 10_000,
            "retry_backoff_ms": 100,
        }
        self._client: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def client(self) -> AIOKafkaProducer:
        """The started client; raises KafkaError when no broker answers."""
        async with self._starting:
            if self._client is None:
                client = AIOKafkaProducer(**self._options)
                try:
                    await client.start()
                except BaseException:
                    await client.stop()
                    raise
                self._client = client
            return self._client

    async def reset(self) -> None:
        """Throws the client away; never raises, never waits for a broker that is gone."""
        client, self._client = self._client, None
        if client is not None:
            try:
                async with asyncio.timeout(2.0):
                    await client.stop()
            except (TimeoutError, KafkaError, RuntimeError) as error:
                log.info("producer_dropped", error=type(error).__name__)

    async def stop(self) -> None:
        await self.reset()
