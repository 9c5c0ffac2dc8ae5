"""A rebuild from the log, while facts arrive, gives the same figures and the same ledger."""

import asyncio
from datetime import UTC, datetime, timedelta

from services.metrics.app import rebuild
from tests.services.metrics.facts import joined, published, time_passed, voided, year_of_joins
from tests.services.metrics.replicas import ON_APACHE, Metrics, ledger, until

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
END = START + timedelta(days=60)


@ON_APACHE
async def test_a_rebuild_beside_arriving_joins_changes_nothing(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    calm = year_of_joins(2, 60, 7, START)
    await metrics.send([*calm, *calm[:50], voided(calm[0], END), published("p", END - timedelta(days=9))])
    await metrics.send([time_passed(END)])
    total = len(calm) - 1
    before = await until(lambda: ledger(replica), lambda said: said["joins"] == total and said["publications"])
    arriving = [joined(END - timedelta(days=1)) for _ in range(40)]
    report, _ = await asyncio.gather(
        rebuild(metrics.settings("rebuild"), database=metrics.store.name), metrics.send(arriving)
    )
    assert (report.generation, report.duplicates) == (2, 50)
    after = await until(lambda: ledger(replica), lambda said: said["joins"] == total + 40)
    assert after["revision"] > before["revision"]
    assert [row["id"] for row in after["publications"]] == ["p"]
    assert after["publications"][0]["observed"] == before["publications"][0]["observed"]
    days = (await replica.http.get("/v1/joins")).json()["rows"]
    assert sum(row["joins"] for row in days) == total + 40
