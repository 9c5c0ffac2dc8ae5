"""Poison on the source topic: kept with a reason, the stream goes on, a replay heals, the breaker stops."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer

from shared.bus import breaker, deadletters
from shared.bus.batch import Received
from shared.bus.generations import Tx
from shared.bus.producer import Producer
from shared.bus.topics import dead_letter_topic
from shared.catalogue import Envelope, Event, Record, encode
from tests.contract.bus.bench import Bus, collect, join, joined, leave, until


def _group() -> str:
    return f"g{uuid.uuid4().hex[:8]}"


def _record(member: str, version: int = 1) -> Record:
    now = datetime.now(UTC)
    envelope = Envelope(
        id=str(uuid.uuid4()),
        source="/kairan/membership",
        type="kairan.member-joined.v1",
        subject=member,
        time=now,
        recorded_time=now,
        aggregate_version=version,
    )
    return encode(Event(envelope, joined()))


def _with(record: Record, value: bytes | None = None, **headers: bytes) -> Record:
    kept = [(name, headers.pop(name, bytes_)) for name, bytes_ in record.headers]
    return Record(record.topic, record.key, value if value is not None else record.value, [*kept, *headers.items()])


async def _publish(bus: Bus, records: Sequence[Record]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bus.bootstrap, max_request_size=4 * 1024 * 1024)
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(record.topic, record.value, key=record.key, headers=record.headers)
    finally:
        await producer.stop()


async def _letters(bus: Bus, group: str) -> list[deadletters.DeadLetter]:
    """A test's own group is not declared, so its dead letters are read by topic name."""
    found = await bus.records(dead_letter_topic("kairan.member", group))
    return [deadletters.letter(record, group) for record in found]


async def test_each_kind_of_poison_is_kept_with_its_reason_and_the_stream_goes_on(bus: Bus) -> None:
    group = _group()
    await bus.hear(bus.subscription(group))
    member = str(uuid.uuid4())
    poison = [
        _with(_record(member), b"{not json"),
        _with(_record(member), b'{"source": 7}'),
        _with(_record(member), ce_type=b"kairan.member-joined.v99"),
        _with(_record(member), ce_subject=b"\xff\xfe"),
    ]
    last = str(uuid.uuid4())
    await _publish(bus, [*poison, _record(member), _record(last)])
    await bus.heard([member, last])
    letters = await _letters(bus, group)
    assert [one.reason for one in letters] == ["not_json", "wrong_schema", "unknown_version", "bad_header"]
    assert [(one.key, one.value) for one in letters] == [(one.key, one.value) for one in poison]
    assert all(dict(one.headers)["ce_source"] == b"/kairan/membership" for one in letters)
    assert set((await bus.seen()).values()) == {1}


@pytest.mark.apache
async def test_a_record_above_the_limit_is_poison_where_the_topic_lets_it_in(bus: Bus) -> None:
    group = _group()
    await bus.hear(bus.subscription(group))
    member = str(uuid.uuid4())
    await _publish(bus, [_with(_record(member), b" " * (300 * 1024)), _record(member)])
    await bus.heard([member])
    assert [one.reason for one in await _letters(bus, group)] == ["too_large"]


class _Faulty:
    """A handler with a fault that is mended later."""

    def __init__(self, hates: set[str]) -> None:
        self.hates = hates

    async def __call__(self, batch: Sequence[Received], tx: Tx) -> None:
        await collect(batch, tx)
        if any(_key(one) in self.hates for one in batch):
            raise ValueError("the handler's fault")


def _key(one: Received) -> str:
    envelope = one.event.envelope
    return f"{envelope.subject}@{envelope.aggregate_version}"


async def test_a_replay_heals_also_an_older_event_of_a_member_that_moved_on(bus: Bus) -> None:
    group, member = _group(), str(uuid.uuid4())
    faulty = _Faulty({f"{member}@1"})
    await bus.hear(bus.subscription(group, faulty))
    await bus.execute(join(member))
    await bus.execute(leave(member))
    await bus.heard([member])
    assert (await bus.stories())[member] == [2]

    letters = await _letters(bus, group)
    assert [one.reason for one in letters] == ["handler_error"]
    faulty.hates.clear()
    producer = Producer(bus.bootstrap, idempotent=False, client_id="replay", max_bytes=deadletters.MAX_BYTES)
    for _ in range(2):
        await deadletters.replay(producer, letters)
    await producer.stop()
    later = (await bus.execute(join())).resource_id
    await bus.heard([later])

    async def healed() -> bool:
        return (await bus.stories())[member] == [2, 1]

    await until(healed, "the older event was applied")
    assert set((await bus.seen()).values()) == {1}
    sources = {record.topic for record in await bus.records("kairan.member") if record.key == member.encode()}
    assert sources == {"kairan.member"}


async def test_the_breaker_stops_at_twenty_in_a_row_and_stays_stopped_until_resumed(bus: Bus) -> None:
    group = _group()
    subscription = bus.subscription(group)
    consumer = await bus.hear(subscription)
    member = str(uuid.uuid4())
    await _publish(bus, [_with(_record(member), b"x") for _ in range(30)])

    async def stopped() -> bool:
        return consumer.report()["state"] == "stopped"

    await until(stopped, "the consumer stopped")
    assert len(await _letters(bus, group)) == 20
    await bus.forget(consumer)

    again = await bus.start_consumer(subscription)

    async def still_stopped() -> bool:
        return again.report()["state"] == "stopped"

    await until(still_stopped, "it stays stopped after a restart")
    assert await breaker.resume(bus.store, group)
    await _publish(bus, [_record(member)])
    await bus.heard([member])
    assert len(await _letters(bus, group)) == 30


def test_more_than_half_of_the_last_hundred_trips_too() -> None:
    counts = breaker.Breaker()
    trips = []
    for n in range(51):
        if n % 10 == 0:
            counts.succeeded(3)
        trips.append(counts.failed())
    assert trips == [False] * 50 + [True]
