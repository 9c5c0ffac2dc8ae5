"""A rebuild from the log, while facts arrive, gives the same figures and the same ledger."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from services.metrics.app import rebuild
from tests.services.metrics.facts import joined, published, time_passed, voided, year_of_joins
from tests.services.metrics.replicas import ON_APACHE, Metrics, Replica, ledger, until

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
END = START + timedelta(days=60)


@ON_APACHE
async def test_a_rebuild_beside_arriving_joins_changes_nothing(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    calm = year_of_joins(2, 60, 7, START)
    named = [joined(END - timedelta(days=8, hours=n), theme="care", ref="p") for n in range(9)]
    issue = published("p", END - timedelta(days=9), theme_ids=("care",))
    await metrics.send([*calm, *calm[:50], *named, issue, time_passed(END)])
    await until(lambda: ledger(replica), lambda said: said["joins"] == len(calm) + len(named))
    await until(lambda: entrance(replica), lambda said: said.get("joins") == len(named) and said["publications"])
    await metrics.send([voided(calm[0], END), voided(named[0], END)])  # only now: what is waited for comes once
    total = len(calm) + len(named) - 2
    before = await until(lambda: ledger(replica), lambda said: said["joins"] == total and said["publications"])
    care = await until(lambda: entrance(replica), lambda said: said["joins"] == len(named) - 1)
    arriving = [joined(END - timedelta(days=1)) for _ in range(40)]
    report, _ = await asyncio.gather(
        rebuild(metrics.settings("rebuild"), database=metrics.store.name), metrics.send(arriving)
    )
    assert (report.generation, report.duplicates) == (2, 50)
    after = await until(lambda: ledger(replica), lambda said: said["joins"] == total + 40)
    assert after["revision"] > before["revision"]
    assert [row["id"] for row in after["publications"]] == ["p"]
    assert after["publications"][0]["observed"] == before["publications"][0]["observed"]
    assert (await entrance(replica))["publications"] == care["publications"]
    assert await metrics.store.collection("named.g2").count_documents({"ref": "p"}) > 0
    days = (await replica.http.get("/v1/joins")).json()["rows"]
    assert sum(row["joins"] for row in days) == total + 40


async def entrance(replica: Replica) -> Any:
    return (await replica.http.get("/v1/ledger", params={"stream": "theme:care"})).json()
