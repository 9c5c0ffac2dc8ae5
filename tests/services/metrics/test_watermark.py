"""The watermark: passed when ingest, whoever does it, has applied what the log held; never without a broker."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.metrics.store import watermark as watermarks
from services.metrics.store.watermark import Watermark
from tests.services.metrics.facts import joined, time_passed
from tests.services.metrics.replicas import Metrics, until

AT = datetime(2022, 3, 31, 15, tzinfo=UTC)


async def test_what_is_not_applied_holds_it_back(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermarks, "LOOK_EVERY_S", 0.0)
    await metrics.send([joined(AT), time_passed(AT)])
    watermark = Watermark(metrics.store, metrics.bootstrap, 1)
    asked_at = asyncio.get_running_loop().time()
    assert await watermark.passed() is None  # the broker is asked
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "watermark"))
    assert await watermark.passed() is None  # it has answered, and nobody has applied anything
    await metrics.replica(clock="stream")
    passed_at = await until(watermark.passed, lambda said: said is not None)
    assert passed_at >= asked_at  # the moment of the mark, not of the answer
    await watermark.close()


async def test_without_a_broker_nothing_is_known(metrics: Metrics) -> None:
    watermark = Watermark(metrics.store, "127.0.0.1:9", 1)
    assert await watermark.passed() is None
    await watermark.close()
