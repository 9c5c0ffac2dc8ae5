"""The publisher, a process of its own: events on the bus at a rate, or as fast as the broker takes them.

Told: `bootstrap`; `names`, the event names in turn; `first`, the number of the first event; `count`; `rate` per second
or null; `keys`, how many aggregates the events are about; `times`, the file that gets each event's moment of publishing
(float64, CLOCK_MONOTONIC seconds). Latency counts from when an event was due, so that a slow publisher hides nothing.
"""

import array
import time
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer

from benchmarks.child import tell, told
from benchmarks.webhooks.records import Mould, key_of

_SETTLE_S: Final = 1.0


def publish(spec: dict[str, Any]) -> dict[str, Any]:
    producer = Producer(
        {
            "bootstrap.servers": spec["bootstrap"],
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "linger.ms": 0 if spec["rate"] else 20,
            "batch.size": 128 * 1024,
            "queue.buffering.max.messages": 200_000,
        }
    )
    failures: list[str] = []

    def delivered(error: Any, _: Any) -> None:
        if error is not None:
            failures.append(str(error))

    moulds = [Mould(name) for name in spec["names"]]
    times = array.array("d")
    producer.list_topics(timeout=30)
    time.sleep(_SETTLE_S)  # it fetches its producer's id meanwhile, which no event should wait for
    begin = time.monotonic()
    for n in range(spec["count"]):
        if spec["rate"]:
            _until(begin + n / spec["rate"], producer)
        number = spec["first"] + n
        mould, key = moulds[number % len(moulds)], key_of(number % spec["keys"])
        times.append(begin + n / spec["rate"] if spec["rate"] else time.monotonic())
        while True:
            try:
                producer.produce(
                    mould.topic, mould.value, key, headers=mould.headers(number, key), on_delivery=delivered
                )
                break
            except BufferError:
                producer.poll(0.05)
        if n % 1_000 == 0:
            producer.poll(0)
    left = producer.flush(120)
    if left or failures:
        raise RuntimeError(f"{left} events were not acknowledged, {len(failures)} failed: {failures[:1]}")
    Path(spec["times"]).write_bytes(times.tobytes())
    return {"seconds": time.monotonic() - begin, "cpu_s": time.process_time()}


def _until(due: float, producer: Producer) -> None:
    producer.poll(0)
    wait_s = due - time.monotonic()
    if wait_s > 0:
        time.sleep(wait_s)


if __name__ == "__main__":
    tell(publish(told()))
