"""When the consumers of a stack have applied every join that was acknowledged: before that, a round is not over."""

import asyncio
from typing import Self

from shared.bus import generations
from shared.store.mongo import Store

LOOK_EVERY_S = 0.2
PATIENCE_S = 120.0
HEARD = "kairan.member"


class Quiet:
    """Counts joins of a whole stack; asks the database, rarely, so that waiting costs next to nothing."""

    def __init__(self, mongo_uri: str) -> None:
        self._metrics = Store(mongo_uri, "kairan_metrics", app_name="bench-quiet", pool=2)
        self._notify = Store(mongo_uri, "kairan_notify", app_name="bench-quiet", pool=2)
        self._expected = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._metrics.close()
        await self._notify.close()

    async def after(self, joins: int) -> None:
        """Returns when `joins` more than before are in the read model, and notify has passed the same records."""
        self._expected += joins
        async with asyncio.timeout(PATIENCE_S):
            while (counted := await self._counted()) < self._expected:  # noqa: ASYNC110  a bell would cost more
                await asyncio.sleep(LOOK_EVERY_S)
            self._expected = counted  # what was done but could not be answered is counted, too
            while await _next_of(self._notify) < await _next_of(self._metrics):  # noqa: ASYNC110
                await asyncio.sleep(LOOK_EVERY_S)

    async def _counted(self) -> int:
        counts = self._metrics.collection(generations.collection_name("counts", 1))
        stages = [{"$match": {"stream": "all"}}, {"$group": {"_id": None, "joins": {"$sum": "$joins"}}}]
        return sum([row["joins"] async for row in counts.aggregate(stages)])


async def _next_of(store: Store) -> int:
    """The sum of the offsets up to which a service has applied the members' topic."""
    stages = [{"$match": {"topic": HEARD}}, {"$group": {"_id": None, "next": {"$sum": "$next"}}}]
    return sum([row["next"] async for row in store.collection("offsets").aggregate(stages)])
