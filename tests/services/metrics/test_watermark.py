"""The watermark: passed when ingest, whoever does it, has applied what the log held; never without a broker."""

import asyncio
from datetime import UTC, datetime

from services.metrics.store.watermark import Watermark
from tests.services.metrics.facts import joined, time_passed
from tests.services.metrics.replicas import Metrics, until

AT = datetime(2022, 3, 31, 15, tzinfo=UTC)


async def test_what_is_not_applied_holds_it_back(metrics: Metrics) -> None:
    await metrics.send([joined(AT), time_passed(AT)])
    watermark = Watermark(metrics.store, metrics.bootstrap, 1)
    asked_at = asyncio.get_running_loop().time()
    assert await watermark.passed() is None
    await metrics.replica(clock="stream")
    passed_at = await until(watermark.passed, lambda said: said is not None)
    assert passed_at >= asked_at  # the moment of the mark, not of the answer


async def test_without_a_broker_nothing_is_known(metrics: Metrics) -> None:
    assert await Watermark(metrics.store, "127.0.0.1:9", 1).passed() is None
