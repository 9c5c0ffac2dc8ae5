"""Who waits for a change holds up nobody else, however many streams a process has."""

import asyncio
import uuid
from contextlib import AsyncExitStack

from shared.store.mongo import Store

AWAIT_MS = 60_000
STREAMS = 24  # of two services in one process there are twelve


async def test_calls_go_through_while_many_streams_wait(mongo_uri: str) -> None:
    store = Store(mongo_uri, f"streams_{uuid.uuid4().hex[:12]}")
    things = store.collection("things")
    await things.insert_one({"_id": "first"})
    async with AsyncExitStack() as exits:
        streams = [await exits.enter_async_context(things.watch(max_await_time_ms=AWAIT_MS)) for _ in range(STREAMS)]
        waiting = [asyncio.ensure_future(stream.next()) for stream in streams]
        async with asyncio.timeout(AWAIT_MS / 2_000):
            while await _awaited(store) < STREAMS:  # noqa: ASYNC110  nothing rings
                await asyncio.sleep(0.05)
        await things.insert_one({"_id": "second"})
        changes = await asyncio.gather(*waiting)
    assert {change["documentKey"]["_id"] for change in changes} == {"second"}
    await store.client.drop_database(store.name)
    await store.close()


async def _awaited(store: Store) -> int:
    """How many streams the server is asked to wait on right now."""
    stages = [{"$currentOp": {}}, {"$match": {"op": "getmore", "ns": f"{store.name}.things"}}]
    return len(await store.client.admin.aggregate(stages).to_list(None))
