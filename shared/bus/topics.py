"""Every topic there is, declared once; created by `kairan topics apply`, never by accident."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code

_FOREVER = -1
_DAY = 24 * 3600 * 1000
_DAYS_30 = 30 * _DAY
_MAX_MESSAGE = 384 * 1024
_MAX_DEAD_LETTER = 8 * 1024 * 1024

# Which consumer group hears which topics. A group's dead-letter and retry topics follow from it.
GROUPS: dict[str, tuple[str, ...]] = {
    "metrics": ("kairan.member", "kairan.member-profile", "kairan.session", "kairan.archive", "kairan.clock"),
    "notify": ("kairan.member", "kairan.session", "kairan.archive", "kairan.growth", "kairan.delivery"),
}


@dataclass(frozen=True)
class Topic:
    """A topic as it must exist: `retention_ms` -1 is for ever, `max_bytes` bounds one record batch."""

    name: str
    partitions: int = 12
    retention_ms: int = _FOREVER
    compacted: bool = False
    max_bytes: int = _MAX_MESSAGE
    configs: dict[str, str] = field(default_factory=dict)

    def settings(self, in_sync: int) -> dict[str, str]:
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_bytes),
            "min.insync.replicas": str(in_sync),
        } | self.configs


def dead_letter_topic(topic: str, group: str) -> str:
    """Where `group` puts what it cannot apply of `topic` (a retry topic's failures go to the same place)."""
    return f"{source_topic(topic, group)}.{group}.dlt"


def retry_topic(topic: str, group: str) -> str:
    """Where a replayed dead letter of `group` waits for that group alone."""
    return f"{topic}.{group}.retry"


def source_topic(topic: str, group: str) -> str:
    """The declared topic behind a group's own retry or dead-letter topic."""
    return topic.removesuffix(f".{group}.retry").removesuffix(f".{group}.dlt")


SOURCES: tuple[Topic, ...] = (
    Topic("kairan.member"),
    # delete.retention.ms: how long a tombstone outlives its record, so that every reader sees the erase.
    # max.compaction.lag.ms: an erase is carried out within a day, however small a share of the log it is; it bounds
    # the age of the segment that is being written too, but a segment is closed by the next record alone.
    Topic(
        "kairan.member-profile",
        compacted=True,
        configs={
            "min.cleanable.dirty.ratio": "0.1",
            "max.compaction.lag.ms": str(_DAY),
            "delete.retention.ms": str(_DAYS_30),
        },
    ),
    Topic("kairan.session"),
    Topic("kairan.archive"),
    Topic("kairan.growth"),
    Topic("kairan.delivery"),
    Topic("kairan.clock", partitions=1),
)

_ERASABLE = frozenset(topic.name for topic in SOURCES if topic.compacted)


def _followers() -> Iterable[Topic]:
    for group, topics in GROUPS.items():
        for topic in topics:
            # Kept for ever: what a replay healed must be there when the read model is rebuilt from the log. But what an
            # erase empties must not stay behind here (ADR 0012).
            kept_ms = _DAYS_30 if topic in _ERASABLE else _FOREVER
            yield Topic(retry_topic(topic, group), partitions=1, retention_ms=kept_ms, max_bytes=_MAX_DEAD_LETTER)
            yield Topic(
                dead_letter_topic(topic, group), partitions=1, retention_ms=_DAYS_30, max_bytes=_MAX_DEAD_LETTER
            )


TOPICS: tuple[Topic, ...] = (*SOURCES, *_followers())


class TopicsRefused(Exception):
    """The broker did not create a topic; the message names it and the broker's reason."""


async def apply(bootstrap: str, *, replication: int | None = None, topics: Iterable[Topic] = TOPICS) -> list[str]:
    """Creates the topics that are missing and returns their names; topics that exist stay untouched.

    `replication` is min(3, number of brokers) unless given; `min.insync.replicas` is 2 from three replicas on, else 1.
    Raises TopicsRefused, and aiokafka's KafkaConnectionError when no broker answers.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="kairan-topics", request_timeout_ms=30_000)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        replicas = replication or min(3, len((await admin.describe_cluster())["brokers"]))
        in_sync = 2 if replicas >= 3 else 1
        missing = [topic for topic in topics if topic.name not in present]
        if missing:
            answer = await admin.create_topics(
                [NewTopic(t.name, t.partitions, replicas, topic_configs=t.settings(in_sync)) for t in missing],
                timeout_ms=30_000,
            )
            _raise_refusals(answer.topic_errors)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _raise_refusals(errors: Iterable[tuple[str, int, str]]) -> None:
    already_there = 36
    refused = [
        f"{name}: {message or for_code(code).__name__}"
        for name, code, message in errors
        if code not in (0, already_there)
    ]
    if refused:
        raise TopicsRefused("; ".join(refused))
