"""Whether ingest has applied all that the log held: before that, nobody is told what may be half the truth."""

import asyncio
import time
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from services.metrics.store.read_model import GROUP
from shared import tasks
from shared.bus.kafka_metadata import describe
from shared.bus.offsets import Offsets, Place
from shared.bus.topics import GROUPS, retry_topic
from shared.store.mongo import Store

LOOK_EVERY_S = 0.5
_ASK_MOST_S, _AWAY_S, _LAST_ANSWER_S = 20.0, 5.0, 1.0
_TOPICS = [*GROUPS[GROUP], *(retry_topic(topic, GROUP) for topic in GROUPS[GROUP])]


class _Mark(NamedTuple):
    """The ends of the log as they were `at` a monotonic second."""

    at: float
    cluster: str
    ends: dict[Place, int]


class Watermark:
    """Marks the ends of the log, and waits for the stored offsets of all replicas together to pass them."""

    def __init__(self, store: Store, bootstrap: str, generation: int) -> None:
        self._store = store
        self._bootstrap = bootstrap
        self._generation = generation
        self._mark: _Mark | None = None
        self._asking: asyncio.Task[_Mark] | None = None
        self._look_from = 0.0

    async def close(self) -> None:
        """Asks the broker no more. A question under way may end by itself: a connection cut short is left unclosed."""
        if self._asking is None:
            return
        await asyncio.wait({self._asking}, timeout=_LAST_ANSWER_S)
        await tasks.end([self._asking])
        await asyncio.gather(self._asking, return_exceptions=True)

    async def passed(self) -> float | None:
        """The moment (monotonic, s) at which the log held nothing that is not applied now; None while that is not yet
        known, and without a broker. Never waits for the broker, looks at most every half second."""
        if time.monotonic() < self._look_from:
            return None
        self._look_from = time.monotonic() + LOOK_EVERY_S
        mark = self._mark = self._mark or self._answer()
        if mark is None:
            return None
        stored = await Offsets(self._store, GROUP, mark.cluster).load(self._generation, mark.ends)
        if any(end > stored.get(place, 0) for place, end in mark.ends.items()):
            return None
        self._mark = None
        return mark.at

    def _answer(self) -> _Mark | None:
        """What the broker said, once it has; a broker that is away must not keep the board from being made."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ends(), name="watermark")
        if not self._asking.done():
            return None
        asked, self._asking = self._asking, None
        try:
            return asked.result()
        except (KafkaError, OSError, TimeoutError):
            self._look_from = time.monotonic() + _AWAY_S
            return None

    async def _ends(self) -> _Mark:
        at = time.monotonic()
        async with asyncio.timeout(_ASK_MOST_S):
            cluster, places = await describe(self._bootstrap, _TOPICS)
            client = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
            try:  # a start that is cut short has to be stopped, too
                await client.start()
                client.assign(places)  # else the client learns of one topic after the other
                ends = await client.end_offsets(places)
            finally:
                await client.stop()
        return _Mark(at, cluster, {Place(*place): end for place, end in ends.items()})
