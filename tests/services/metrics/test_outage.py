"""The database is killed: ledger and open streams go on once it is back, and nothing is counted twice."""

from datetime import UTC, datetime, timedelta

import httpx

from kairan.stack.mongod import Mongod
from tests.services.metrics.facts import joined, published, time_passed
from tests.services.metrics.replicas import Metrics, ledger, streamed, until

END = datetime(2022, 3, 31, 15, tzinfo=UTC)


async def test_a_killed_database_costs_time_and_no_fact(metrics_on_own_mongo: Metrics, mongod: Mongod) -> None:
    metrics = metrics_on_own_mongo
    replica = await metrics.replica(clock="stream")
    await metrics.send([joined(END - timedelta(days=1)), published("p", END - timedelta(days=2)), time_passed(END)])
    before = await until(lambda: ledger(replica), lambda said: said["joins"] == 1 and said["publications"])
    async with streamed(replica, last=before["revision"]) as messages:
        await mongod.kill()
        assert (await replica.http.get("/health/ready")).status_code == 503
        await metrics.send([joined(END - timedelta(days=1)) for _ in range(30)])
        await mongod.restart()
        assert (await until(lambda: anext(messages), lambda message: message.data["joins"] == 31)).id > 0

    async def ready() -> httpx.Response:
        return await replica.http.get("/health/ready")

    await until(ready, lambda answer: answer.status_code == 200)
    after = await until(lambda: ledger(replica), lambda said: said["joins"] == 31)
    assert after["publications"][0]["observed"] == 31
    assert (await replica.http.get("/v1/members")).json()["members"] == 31
