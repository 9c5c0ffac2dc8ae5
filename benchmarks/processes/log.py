"""Fills a topic with joins at once: records as `encode` makes them, sent by librdkafka's idempotent producer.

One record is encoded by the catalogue; of the others only ids, times and the key differ, so a million take seconds.
Their times, the records' own included, rise evenly from `first` to `last`.
"""

import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from confluent_kafka import Producer

from benchmarks.child import tell, told
from shared.catalogue import CATALOGUE, Envelope, Event, MemberJoined, Record, encode
from shared.catalogue.headers import write_time

_JOIN = MemberJoined(
    source="publication",
    source_ref=None,
    reason="work_problem",
    entrance_theme_id=None,
    joined_precision="hour",
)


def _sample(moment: datetime) -> Record:
    kind = CATALOGUE.for_model(MemberJoined).type
    some = str(uuid.uuid4())
    return encode(Event(Envelope(some, "/kairan/membership", kind, some, moment, moment, 1), _JOIN))


def fill(bootstrap: str, topic: str, count: int, first: datetime, last: datetime) -> None:
    """Returns when the broker has acknowledged all `count` records."""
    sample = _sample(first)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",  # the one of Apache Kafka's own clients and of the relay
            "linger.ms": 50,
            "batch.size": 128 * 1024,  # a topic takes batches of at most 384 KiB
            "queue.buffering.max.messages": 500_000,
        }
    )
    failures: list[str] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failures.append(str(error))

    step: timedelta = (last - first) / max(count, 1)
    for n in range(count):
        moment = first + n * step
        member, said = str(uuid.uuid4()), write_time(moment).encode()
        fresh = {
            "ce_id": str(uuid.uuid4()).encode(),
            "ce_subject": member.encode(),
            "ce_time": said,
            "ce_recordedtime": said,
        }
        headers: list[tuple[str, Any]] = [(name, fresh.get(name, value)) for name, value in sample.headers]
        stamp = int(moment.timestamp() * 1000)
        while True:
            try:
                producer.produce(
                    topic, sample.value, fresh["ce_subject"], headers=headers, timestamp=stamp, on_delivery=delivered
                )
                break
            except BufferError:
                producer.poll(0.1)
        if n % 10_000 == 0:
            producer.poll(0)
    left = producer.flush(60)
    if left or failures:
        raise RuntimeError(f"{left} records were not acknowledged, {len(failures)} failed: {failures[:1]}")


if __name__ == "__main__":
    spec = told()
    started = time.perf_counter()
    times = (datetime.fromisoformat(spec[name]) for name in ("first", "last"))
    fill(spec["bootstrap"], spec["topic"], spec["count"], *times)
    tell({"seconds": time.perf_counter() - started, "cpu_s": time.process_time()})
