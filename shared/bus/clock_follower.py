"""Follows kairan.clock without a group: in a replayed year, now is the last `time-passed` that was posted."""

import asyncio

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared import tasks
from shared.catalogue import Event, Poison, TimePassed, decode
from shared.clock import Clock

log = structlog.get_logger(__name__)

_PLACE = TopicPartition("kairan.clock", 0)


class ClockFollower:
    """Advances `clock` with every `time-passed`; a part only of services in the stream clock."""

    name = "clock-follower"

    def __init__(self, clock: Clock, bootstrap: str) -> None:
        self._clock = clock
        self._bootstrap = bootstrap
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        await tasks.end([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                log.info("clock_waits", error=type(error).__name__)
            await asyncio.sleep(1.0)

    async def _follow(self) -> None:
        async with AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, enable_auto_commit=False, isolation_level="read_committed"
        ) as consumer:
            consumer.assign([_PLACE])
            end = (await consumer.end_offsets([_PLACE]))[_PLACE]
            consumer.seek(_PLACE, max(0, end - 1))
            async for record in consumer:
                self._advance(record)

    def _advance(self, record: object) -> None:
        try:
            event = decode(record.topic, record.key, record.value, record.headers, wanted={"time-passed"})  # type: ignore[attr-defined]
        except Poison as poison:
            log.warning("clock_poison", reason=poison.reason)
            return
        if isinstance(event, Event) and isinstance(event.data, TimePassed):
            self._clock.advance(event.data.until)
