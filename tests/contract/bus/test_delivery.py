"""What the bus promises from a command to a read model, on both brokers."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition

from kairan.stack.kafka import ApacheKafka
from kairan.stack.tansu import Tansu
from shared.bus.batch import Received
from shared.bus.command import Refused
from shared.bus.generations import Tx
from shared.telemetry import tracing
from tests.contract.bus.bench import Bus, collect, join, leave, until


def _group() -> str:
    return f"g{uuid.uuid4().hex[:8]}"


async def test_a_join_reaches_a_read_model_once(bus: Bus) -> None:
    await bus.hear(bus.subscription(_group()))
    outcome = await bus.execute(join())
    assert (outcome.status, outcome.version) == (201, 1)
    await bus.heard([outcome.resource_id])
    assert set((await bus.seen()).values()) == {1}
    await bus.drained()


async def test_of_several_addresses_one_that_answers_is_enough(
    broker: ApacheKafka | Tansu, make_bus: Callable[[str, str], Awaitable[Bus]]
) -> None:
    bus = await make_bus(f"127.0.0.1:1,{broker.bootstrap}", broker.kind)
    await bus.hear(bus.subscription(_group()))
    await bus.heard([(await bus.execute(join())).resource_id])
    await bus.stop()


async def test_a_callers_trace_and_the_command_are_named_by_its_events(bus: Bus) -> None:
    trace_id = uuid.uuid4().hex
    with tracing.span_from(f"00-{trace_id}-00f067aa0ba902b7-01", "a caller"):
        member = (await bus.execute(join())).resource_id
    await bus.drained()
    (record,) = [record for record in await bus.records("kairan.member") if record.key == member.encode()]
    headers = dict(record.headers)
    assert trace_id in headers["traceparent"].decode()
    assert uuid.UUID(headers["ce_correlationid"].decode())


async def test_one_members_story_stays_in_order(bus: Bus) -> None:
    await bus.hear(bus.subscription(_group()))
    members = [str(uuid.uuid4()) for _ in range(100)]
    joins = await asyncio.gather(*(bus.execute(join(member)) for member in members))
    leaves = await asyncio.gather(*(bus.execute(leave(member)) for member in members))
    assert {one.version for one in joins} == {1}
    assert {one.version for one in leaves} == {2}
    await bus.drained()
    await bus.heard(members)

    async def told() -> bool:
        return all(len(story) == 2 for story in (await bus.stories()).values())

    await until(told, "both events of each")
    stories = await bus.stories()
    assert all(stories[member] == [1, 2] for member in members)


async def test_a_transaction_takes_no_more_than_it_may_and_says_when_it_is_committed(bus: Bus) -> None:
    sizes: list[int] = []
    committed: set[str] = set()

    async def at_once() -> int:
        return 3

    async def apply(batch: Sequence[Received], tx: Tx) -> None:
        await collect(batch, tx)
        sizes.append(len(batch))
        tx.after.append(lambda: committed.update(one.event.envelope.subject for one in batch))

    await bus.hear(bus.subscription(_group(), apply, at_once=at_once))
    joins = await asyncio.gather(*(bus.execute(join()) for _ in range(20)))
    members = {one.resource_id for one in joins}
    await bus.heard(sorted(members))
    assert max(sizes) <= 3

    async def all_told() -> bool:
        return members <= committed

    await until(all_told, "every event was said to be committed")
    assert set((await bus.seen()).values()) == {1}


async def test_what_a_producer_sends_twice_is_applied_once_and_what_stands_beside_it_too(bus: Bus) -> None:
    await bus.hear(bus.subscription(_group()))
    first = (await bus.execute(join())).resource_id
    await bus.heard([first])
    await bus.drained()
    (record,) = [record for record in await bus.records("kairan.member") if record.key == first.encode()]
    async with AIOKafkaProducer(bootstrap_servers=bus.bootstrap) as producer:
        for _ in range(3):
            await producer.send("kairan.member", record.value, key=record.key, headers=list(record.headers))
    others = [(await bus.execute(join())).resource_id for _ in range(20)]
    await bus.execute(leave(first))  # behind the repeats, in their partition
    await bus.heard(others)

    async def left() -> bool:
        return len((await bus.stories())[first]) > 1

    await until(left, "what follows the repeats is applied")
    assert (await bus.stories())[first] == [1, 2]
    assert set((await bus.seen()).values()) == {1}


async def test_commands_on_one_aggregate_in_one_batch_see_each_other(bus: Bus) -> None:
    member = str(uuid.uuid4())
    first, second, third = await asyncio.gather(
        bus.execute(join(member)), bus.execute(join(member)), bus.execute(leave(member)), return_exceptions=True
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, Refused)
    assert second.status == 409
    assert not isinstance(third, BaseException)
    assert (first.version, third.version) == (1, 2)


async def test_the_same_key_gives_the_same_answer_and_one_effect(bus: Bus) -> None:
    key = uuid.uuid4().hex
    twins = await asyncio.gather(*(bus.execute(join(key=key)) for _ in range(5)))
    later = await bus.execute(join(key=key))
    assert len({(one.resource_id, one.version, one.status) for one in (*twins, later)}) == 1
    assert sorted(one.replayed for one in (*twins, later)) == [False, True, True, True, True, True]
    with pytest.raises(Refused) as refused:
        await bus.execute(join(key=key, request="another"))
    assert refused.value.status == 422
    assert await bus.store.collection("members").count_documents({}) == 1


async def test_twins_on_two_replicas_have_one_effect(bus: Bus) -> None:
    other = bus._write_side("tester-2")
    await other.commands.start()
    try:
        for _ in range(10):
            key = uuid.uuid4().hex
            one, two = await asyncio.gather(bus.execute(join(key=key)), other.commands.execute(join(key=key)))
            assert one.resource_id == two.resource_id
    finally:
        await other.commands.stop()
    assert await bus.store.collection("members").count_documents({}) == 10


async def test_two_members_of_a_group_share_it_and_one_takes_over(bus: Bus) -> None:
    group = _group()
    first = await bus.hear(bus.subscription(group), "tester-1")
    await bus.hear(bus.subscription(group), "tester-2")
    members = [str(uuid.uuid4()) for _ in range(200)]
    await asyncio.gather(*(bus.execute(join(member)) for member in members[:100]))
    await bus.heard(members[:100])
    await bus.forget(first)
    await asyncio.gather(*(bus.execute(join(member)) for member in members[100:]))
    await bus.heard(members)
    assert set((await bus.seen()).values()) == {1}


class _TakesItsTime(ConsumerRebalanceListener):  # type: ignore[misc]
    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await asyncio.sleep(3)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        return


@pytest.mark.apache
async def test_a_group_that_waits_for_a_slow_member_comes_to_rest_and_tells_kafka_where_it_is(bus: Bus) -> None:
    """A batch ends while the group waits: publishing it then would bring about the next rebalance, for ever."""
    group, members = _group(), list[str]()

    async def collect_slowly(batch: Sequence[Received], tx: Tx) -> None:
        await asyncio.sleep(0.3)
        await collect(batch, tx)

    async def go_on_joining() -> None:
        while True:
            members.append((await bus.execute(join())).resource_id)

    subscription = bus.subscription(group, collect_slowly)
    await bus.hear(subscription)
    joining = asyncio.create_task(go_on_joining())
    slow = AIOKafkaConsumer(bootstrap_servers=bus.bootstrap, group_id=group, enable_auto_commit=False)
    slow.subscribe(subscription.topics, listener=_TakesItsTime())
    try:
        await slow.start()
        await bus.hear(subscription, "tester-2")
    finally:
        joining.cancel()
        await slow.stop()
    await bus.heard(members)
    await bus.published(group)


async def test_a_group_whose_offsets_kafka_forgot_applies_nothing_twice(bus: Bus) -> None:
    group = _group()
    consumer = await bus.hear(bus.subscription(group))
    members = [str(uuid.uuid4()) for _ in range(50)]
    await asyncio.gather(*(bus.execute(join(member)) for member in members))
    await bus.heard(members)
    await bus.forget(consumer)
    await bus.store.db.drop_collection(f"inbox.{group}.g1")  # the offset alone must hold
    await bus.hear(bus.subscription(f"{group}"), "tester-9")
    extra = (await bus.execute(join())).resource_id
    await bus.heard([extra])
    assert set((await bus.seen()).values()) == {1}
