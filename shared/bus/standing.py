"""Where a consumer stands in its partitions: the stored offsets are the truth, the client's positions follow them."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.batch import by_place
from shared.bus.fetching import Fetching
from shared.bus.offsets import Offsets, Place
from shared.store.mongo import StoreError

log = structlog.get_logger(__name__)

_PUBLISH_S = 1.0


class Standing:
    """One Kafka client's partitions, in one generation of a group. `positions` are the offsets last seen stored.

    `settled`: the group is not known to be rebalancing. A commit that meets a rebalance makes the client forget who it
    is and join once more: with one commit a second, for ever.
    """

    def __init__(self, offsets: Offsets, generation: int) -> None:
        self._offsets = offsets
        self.generation = generation
        self.subscriber: Any = None
        self.fetching = Fetching(lambda: self.client)
        self.settled = False
        self.positions: dict[Place, int] = {}
        self._sought: dict[Place, int] = {}
        self._published: dict[Place, int] = {}

    @property
    def client(self) -> Any:
        """The subscriber's: there while it starts, so that its first partitions are sought, too; None once stopped."""
        return self.subscriber.consumer if self.subscriber is not None else None

    def assignment(self) -> frozenset[Place]:
        if self.client is None:
            return frozenset()
        return frozenset(Place(*place) for place in self.client.assignment())

    async def take(self, records: Sequence[Any]) -> list[Any]:
        """The records that follow each partition's stored offset; a gap before the first makes it seek back.

        Records that were fetched before a seek are dropped (the position is at or before them: they come again), so a
        gap that is left after seeking is one of the log itself (compaction, transaction marks).
        """
        places = {place: found for place, found in by_place(records).items() if await self._follows(place, found[-1])}
        await self._load([place for place in places if place not in self.positions])
        taken: list[Any] = []
        for place, found in places.items():
            position = self.positions.get(place)
            if position is None:
                continue
            if found[0].offset > position and self._sought.get(place) != position:
                self._seek(place, position)
                continue
            taken += [record for record in found if record.offset >= position]
            if found[-1].offset < position:
                self._seek(place, position)
        return taken

    async def assigned(self, places: Collection[Place]) -> None:
        """What was known of offsets is void; a database that is away is asked again when records come."""
        self.settled = True
        try:
            await self.seek_to_stored(places)
        except StoreError as error:
            log.info("offsets_unread", error=type(error).__name__)

    async def swapped(self, generation: int) -> None:
        """Another generation serves: goes on where that one is, at or behind the old one's offsets."""
        self.generation = generation
        await self.seek_to_stored(self.assignment())

    async def seek_to_stored(self, places: Collection[Place]) -> None:
        """Makes the stored offsets the positions, here and in the client."""
        self.positions.clear()
        self._sought.clear()
        await self._load(places)
        for place, offset in self.positions.items():
            self._seek(place, offset)

    async def publish(self) -> None:
        """Tells Kafka the positions that have changed, for lag tools alone: in doubt they stay as they are.

        The client would try for as long as the coordinator is away; nobody's measuring or stopping waits for that.
        """
        if not self.settled:
            return
        assigned = self.assignment()
        moved = {
            place: offset
            for place, offset in self.positions.items()
            if place in assigned and self._published.get(place) != offset
        }
        if not moved:
            return
        try:
            async with asyncio.timeout(_PUBLISH_S):
                await self.client.commit({TopicPartition(*place): offset for place, offset in moved.items()})
        except (KafkaError, TimeoutError) as error:
            log.info("offsets_unpublished", error=type(error).__name__)
        else:
            self._published |= moved

    async def ends(self) -> dict[Place, tuple[int, int]]:
        """(position, end of the log) of each partition that has both."""
        positions = dict(self.positions)  # before the ends: both move on while we ask
        assignment = [TopicPartition(*place) for place in self.assignment()]
        if not assignment:
            return {}
        ends = {Place(*place): end for place, end in (await self.client.end_offsets(assignment)).items()}
        return {place: (positions[place], ends[place]) for place in ends.keys() & positions.keys()}

    async def _follows(self, place: Place, last: Any) -> bool:
        try:
            return bool(await self.client.position(TopicPartition(*place)) > last.offset)
        except KafkaError:
            return False  # not ours any more

    def _seek(self, place: Place, offset: int) -> None:
        if place in self.assignment():
            self._sought[place] = offset
            self.client.seek(TopicPartition(*place), offset)

    async def _load(self, places: Collection[Place]) -> None:
        if places:
            self.positions |= await self._offsets.load(self.generation, places)
