"""What a consumer has to know of a cluster before it reads: its id, and that the topics are there."""

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


class TopicsMissing(KafkaError):  # type: ignore[misc]
    """A declared topic does not exist yet; whoever needs it waits for `kairan topics apply`."""


async def describe(bootstrap: str, topics: Sequence[str]) -> tuple[str, list[TopicPartition]]:
    """The cluster's id and all partitions of `topics`. Raises TopicsMissing, KafkaError when no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    await admin.start()
    try:
        cluster = str((await admin.describe_cluster()).get("cluster_id") or "")
        described = {one["topic"]: one["partitions"] for one in await admin.describe_topics(list(topics))}
    finally:
        await admin.close()
    missing = [topic for topic in topics if not described.get(topic)]
    if missing:
        raise TopicsMissing(f"{', '.join(missing)}: run `kairan topics apply`")
    return cluster, [TopicPartition(topic, one["partition"]) for topic in topics for one in described[topic]]
