"""When the client asks for more, and for which partitions: one question at a time, about those where things happen.

The client knows no fetch sessions (KIP-227): it names every partition each time, and the broker answers for each. That
takes longer than a small batch may take, so while events come one upon the other those partitions are asked for that
had one lately, and all of them every now and then, or when it becomes quiet.

An answer that comes while a partition is paused is dropped by the client when it next looks, and asked for anew when
the partition is resumed. One client asks each broker by itself, so another one's answer may come at any time: a
partition of which more is known than before counts as one that had an event, and is not left out.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import TopicPartition

_LATELY_S = 2.0
_ALL_EACH_S = 0.05
_UPON_THE_OTHER_S = 0.01  # an answer that took longer was waited for: then it may as well be about all partitions


class Fetching:
    """Of one client, which `client()` answers while there is one."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self._asked: frozenset[TopicPartition] = frozenset()
        self._had_one: dict[TopicPartition, float] = {}
        self._ends: dict[TopicPartition, int | None] = {}
        self._all_at = 0.0
        self._asked_at = 0.0
        self._in_a_rush = False
        self._quiet: asyncio.TimerHandle | None = None

    @contextmanager
    def paused(self, records: Sequence[Any]) -> Iterator[None]:
        """While `records` are applied nothing is fetched; what comes meanwhile is fetched afterwards, all at once.

        Left alone, the client asks for more as soon as it has handed out a batch, is answered with the next record, and
        asks no further until that one is taken: what follows it waits for two batches. So it is to be paused before
        anything is awaited.
        """
        if self._quiet is not None:
            self._quiet.cancel()
        now = time.monotonic()
        self._in_a_rush = now - self._asked_at < _UPON_THE_OTHER_S
        self._had_one |= {TopicPartition(record.topic, record.partition): now for record in records}
        client = self._client()
        client.pause(*self._asked & client.assignment())
        try:
            yield
        finally:
            self._go_on()

    def _go_on(self) -> None:
        self._asked_at = now = time.monotonic()
        self._notice(now)
        if not self._in_a_rush or now - self._all_at > _ALL_EACH_S:
            self._ask_for_all()
            return
        self._ask_for({place for place, at in self._had_one.items() if now - at < _LATELY_S})
        self._quiet = asyncio.get_running_loop().call_later(_ALL_EACH_S, self._ask_for_all)

    def _notice(self, now: float) -> None:
        """Which partitions' ends, as the last answers told them, have moved."""
        client = self._client()
        if client is not None:
            ends = {place: client.highwater(place) for place in client.assignment()}
            self._had_one |= {place: now for place, end in ends.items() if end != self._ends.get(place)}
            self._ends = ends

    def _ask_for_all(self) -> None:
        self._all_at = time.monotonic()
        self._ask_for(None)

    def _ask_for(self, some: Collection[TopicPartition] | None) -> None:
        client = self._client()
        if client is not None:
            places = frozenset(client.assignment())
            self._asked = places if some is None else places.intersection(some)
            client.resume(*self._asked)
