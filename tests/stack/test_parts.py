"""The embedded parts alone: they keep data over kill -9, move when their port is taken, die with their parent."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from kairan.stack.mongod import Mongod
from kairan.stack.wire import broker_count


@contextmanager
def client_of(mongo: Mongod) -> Iterator[Any]:
    client: Any = AsyncIOMotorClient(mongo.uri, serverSelectionTimeoutMS=20_000)
    try:
        yield client
    finally:
        client.close()


async def produce(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


@pytest.mark.parametrize("kind", ["apache", "tansu"])
async def test_a_broker_passes_messages_on(own_kafka, kind):
    broker = await own_kafka(kind)
    await create_topic(broker.bootstrap, "passes-on")
    await produce(broker.bootstrap, "passes-on", b"one", b"two")
    assert await consume(broker.bootstrap, "passes-on", 2) == [b"one", b"two"]


async def test_a_dead_address_has_no_brokers(own_kafka):
    kafka = await own_kafka("tansu")
    assert await broker_count("127.0.0.1:1") == 0
    assert await broker_count(f"127.0.0.1:1,{kafka.bootstrap}") == 1


async def test_a_killed_kafka_comes_back_with_its_messages_at_its_address(own_kafka):
    broker = await own_kafka()
    await create_topic(broker.bootstrap, "kept")
    await produce(broker.bootstrap, "kept", b"before")
    address = broker.bootstrap
    await broker.kill()
    assert not await broker.answers()
    await broker.restart()
    assert broker.bootstrap == address
    assert await consume(broker.bootstrap, "kept", 1) == [b"before"]


async def test_a_kafka_whose_port_was_taken_moves_with_its_messages(own_kafka):
    broker = await own_kafka()
    await create_topic(broker.bootstrap, "moved")
    await produce(broker.bootstrap, "moved", b"before")
    await broker.kill()
    with socket.create_server(("127.0.0.1", broker.port)):
        taken = broker.port
        await broker.restart()
    assert broker.port != taken
    assert await consume(broker.bootstrap, "moved", 1) == [b"before"]


async def test_a_killed_mongod_comes_back_with_its_documents(own_mongo):
    mongo = await own_mongo()
    with client_of(mongo) as client:
        await client.kept.rows.insert_one({"_id": 1})
        await mongo.kill()
        assert not await mongo.answers()
        await mongo.restart()
        assert await client.kept.rows.find_one({}) == {"_id": 1}


async def test_a_mongod_whose_port_was_taken_moves_with_its_documents(own_mongo):
    mongo = await own_mongo()
    with client_of(mongo) as client:
        await client.kept.rows.insert_one({"_id": 1})
    await mongo.kill()
    # A stranger that listens and says nothing would cost 30 s: mongod asks it whether it is this node.
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", mongo.port):
        taken = mongo.port
        await mongo.restart()
    assert mongo.port != taken
    with client_of(mongo) as client:
        assert await client.kept.rows.find_one({}) == {"_id": 1}


async def test_mongod_can_run_transactions_and_ends_abandoned_ones_after_five_seconds(mongo):
    with client_of(mongo) as client:
        setting = await client.admin.command({"getParameter": 1, "transactionLifetimeLimitSeconds": 1})
        assert setting["transactionLifetimeLimitSeconds"] == 5
        async with await client.start_session() as session, session.start_transaction():
            await client.transacted.rows.insert_one({"_id": 1}, session=session)
        assert await client.transacted.rows.count_documents({}) == 1


PARENT = """
import sys, time
from pathlib import Path
from kairan.stack.child import Child
print(Child("sleeper", ["sleep", "600"], Path(sys.argv[1])).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process die with its parent")
def test_a_part_dies_with_a_parent_that_is_killed(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        try:
            parent.send_signal(signal.SIGKILL)
            ready, _, _ = select.select([descriptor], [], [], 30)
            assert ready, "the part outlived its parent"
        finally:
            os.close(descriptor)
