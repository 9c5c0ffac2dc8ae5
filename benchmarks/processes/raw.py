"""Consume-to-projection written by hand: aiokafka and pymongo alone, the same work, none of the bus' care.

It reads the same records, validates the same model, reads and inserts the same inbox, adds to the same counters, keeps
the offsets in the same transaction (majority, journaled) and commits to Kafka. It has no fence, no dead letters, no
breaker, no generations, no metrics, no lag, and its envelope is the three headers that it needs.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer
from pydantic import TypeAdapter
from pymongo import AsyncMongoClient, UpdateOne
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from benchmarks.child import tell, told
from benchmarks.processes.counters import COLLECTION, Watch, increments
from shared.catalogue import MemberJoined

BATCH = 500
DURABLE = WriteConcern(w="majority", j=True)
MODEL = TypeAdapter(MemberJoined)


async def _main(spec: dict[str, Any]) -> dict[str, Any]:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(spec["mongo"], tz_aware=True)
    database = client.get_database(spec["database"], write_concern=DURABLE)
    await database["inbox"].create_index("at", expireAfterSeconds=30 * 24 * 3600)
    watch, left = Watch(), spec["count"]
    async with (
        client,
        AIOKafkaConsumer(
            spec["topic"],
            bootstrap_servers=spec["bootstrap"],
            group_id=spec["group"],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            fetch_max_wait_ms=100,
        ) as consumer,
    ):
        while left > 0:
            fetched = await consumer.getmany(timeout_ms=20, max_records=BATCH)
            records = [record for found in fetched.values() for record in found]
            if not records:
                continue
            left -= await _apply(client, database, records, watch)
            await consumer.commit()
        return watch.answer()


async def _apply(client: Any, database: Any, records: list[Any], watch: Watch) -> int:
    joins = {}
    for record in records:
        headers = dict(record.headers)
        if headers["ce_type"] != b"kairan.member-joined.v1":
            continue
        MODEL.validate_json(record.value)
        moment = datetime.fromisoformat(headers["ce_time"].decode())
        joins[headers["ce_id"].decode()] = (moment, record.partition)
    ends = {(record.topic, record.partition): record.offset + 1 for record in records}
    offsets = [
        UpdateOne({"_id": f"{topic}|{partition}"}, {"$set": {"next": offset}}, upsert=True)
        for (topic, partition), offset in ends.items()
    ]
    watch.begins()
    async with (
        client.start_session() as session,
        await session.start_transaction(read_concern=ReadConcern("snapshot"), write_concern=DURABLE),
    ):
        await database["offsets"].bulk_write(offsets, ordered=False, session=session)
        found = database["inbox"].find({"_id": {"$in": list(joins)}}, {"_id": 1}, session=session)
        seen = {row["_id"] for row in await found.to_list(None)}
        fresh = {key: join for key, join in joins.items() if key not in seen}
        if fresh:
            now = datetime.now(UTC)
            rows = [{"_id": key, "at": now} for key in fresh]
            await database["inbox"].insert_many(rows, ordered=False, session=session)
            await database[COLLECTION].bulk_write(increments(fresh.values()), ordered=False, session=session)
    watch.ended()
    return len(fresh)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tell(runner.run(_main(told())))
