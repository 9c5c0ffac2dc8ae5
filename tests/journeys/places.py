"""Every place of a stack where something that was said could turn up: topics, databases, files, what is scraped."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from kairan.stack.stack import Stack
from tests.journeys.planting import CANARY
from tests.journeys.talk import Visitor

Found = dict[str, set[bytes]]
"""Place to the canaries that were seen there."""


async def everywhere(stack: Stack, visitor: Visitor) -> Found:
    """All places. Left out is MongoDB's oplog (`local`), which keeps every write until it is overwritten."""
    in_topics, in_mongo = await asyncio.gather(topics(stack.bootstrap), asyncio.to_thread(databases, stack.mongo_uri))
    return in_topics | in_mongo | files(stack) | await scraped(stack, visitor)


async def topics(bootstrap: str) -> Found:
    """All topics, Kafka's own too: keys, values and headers as they lie there."""
    found: Found = defaultdict(set)
    async for topic, record in records(bootstrap):
        for part in (
            record.key,
            record.value,
            *(part for name, value in record.headers for part in (name.encode(), value)),
        ):
            found[f"topic {topic}"] |= set(CANARY.findall(part or b""))
    return found


async def records(bootstrap: str, *only: str) -> AsyncIterator[tuple[str, Any]]:
    """(topic, record) for every record of these topics (all where none is named), in order per partition."""
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as log:
        parts = await partitions(bootstrap, only)
        log.assign(parts)
        ends = await log.end_offsets(parts)
        await log.seek_to_beginning(*parts)
        while any([await log.position(part) < ends[part] for part in parts]):
            for part, batch in (await log.getmany(timeout_ms=500)).items():
                for record in batch:
                    yield part.topic, record


async def partitions(bootstrap: str, only: Sequence[str]) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(list(only) or await admin.list_topics())
        return [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]
    finally:
        await admin.close()


def databases(uri: str) -> Found:
    """All databases but `local`, every document as its bytes."""
    found: Found = defaultdict(set)
    with MongoClient(uri, document_class=RawBSONDocument) as client:
        for name in client.list_database_names():
            for collection in client[name].list_collection_names() if name != "local" else ():
                for document in client[name][collection].find():
                    found[f"database {name}"] |= set(CANARY.findall(document.raw))
    return found


def files(stack: Stack) -> Found:
    """Every file of the home but the data of broker and database: logs, keys, what runs."""
    return {
        f"file {path.name}": set(CANARY.findall(path.read_bytes())) for path in _files(stack.home.root, stack.home.data)
    }


def _files(root: Path, data: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file() and data not in path.parents)


async def scraped(stack: Stack, visitor: Visitor) -> Found:
    """What each process tells Prometheus, and of its health."""
    found: Found = {}
    for process in stack.status().processes:
        for page in ("metrics", "health/live", "health/ready", "health/stream") if process.url else ():
            answer = await visitor.http.get(f"{process.url}/{page}")
            found[f"{process.name}/{page}"] = set(CANARY.findall(answer.content))
    return found


async def caught_up(stack: Stack) -> bool:
    """Whether every event has left its outbox, and every group has applied all that Kafka holds for it."""
    return await asyncio.to_thread(_outboxes_are_empty, stack.mongo_uri) and await _groups_are_done(stack)


def _outboxes_are_empty(uri: str) -> bool:
    with MongoClient(uri) as client:
        names = [name for name in client.list_database_names() if name.startswith("kairan_")]
        return not any(client[name].outbox.find_one() for name in names)


async def _groups_are_done(stack: Stack) -> bool:
    stored = await asyncio.to_thread(_stored_offsets, stack.mongo_uri)
    async with AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, enable_auto_commit=False) as log:
        ends = await log.end_offsets(list({place for place, _ in stored}))
    return all(following == ends[place] for place, following in stored)


def _stored_offsets(uri: str) -> list[tuple[TopicPartition, int]]:
    with MongoClient(uri) as client:
        rows = [row for name in ("kairan_metrics", "kairan_notify") for row in client[name].offsets.find()]
    return [(TopicPartition(row["topic"], row["partition"]), int(row["next"])) for row in rows]
