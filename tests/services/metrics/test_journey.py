"""From facts on the bus to the ledger, the figures and the stream, on a real broker and a real database."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.catalogue import Title
from shared.clock import hour_floor, wall_now
from tests.services.metrics.facts import (
    corrected,
    held,
    joined,
    left,
    published,
    time_passed,
    voided,
    withdrawn,
    year_of_joins,
)
from tests.services.metrics.replicas import ON_APACHE, ON_BOTH, Metrics, Replica, leader_of, ledger, streamed, until

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
PUBLISHED = START + timedelta(days=80, hours=3, minutes=20)
END = START + timedelta(days=100)
FIELDS = {"id", "kind", "published_at", "window_from", "window_to", "complete"}
FIELDS |= {"observed", "expected", "extra", "low", "high", "verdict", "alarm_at", "log_evidence", "restated"}
FIELDS |= {"credit", "credit_low", "credit_high", "joint_with", "joint_credit", "joint_low", "joint_high"}


@ON_BOTH
async def test_a_stream_of_facts_becomes_a_ledger(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    calm = year_of_joins(1, 100, 7, START)
    surge = [joined(PUBLISHED + timedelta(hours=hour % 60)) for hour in range(60)]
    await metrics.send([*calm, *surge, published("issue", PUBLISHED), held("s", PUBLISHED - timedelta(days=20))])
    await metrics.send([time_passed(END)])
    total = len(calm) + len(surge)
    found = await until(
        lambda: ledger(replica),
        lambda said: said["joins"] == total and len(said["publications"]) == 2 and said["as_of"],
    )
    session, issue = found["publications"]
    assert found["as_of"] == "2022-02-09T15:00:00Z"
    assert set(issue) == FIELDS | {"title", "series_id"}
    assert (session["kind"], session["title"], issue["title"]["en"]) == ("session", None, "Issue")
    assert issue["window_from"] == "2022-01-20T18:00:00Z"
    assert issue["window_to"] == "2022-01-27T18:00:00Z"
    assert (issue["complete"], issue["verdict"]) == (True, "clear")
    assert issue["window_from"] < issue["alarm_at"] < issue["window_to"]
    assert issue["low"] <= issue["extra"] <= issue["high"]
    assert 40 < issue["extra"] < 80
    await _figures_agree(replica, total)


async def _figures_agree(replica: Replica, total: int) -> None:
    hours = (await replica.http.get("/v1/joins", params={"by": "hour"})).json()
    days = (await replica.http.get("/v1/joins", params={"by": "day"})).json()
    assert hours["as_of"] == days["as_of"] == "2022-02-09T15:00:00Z"
    assert sum(row["joins"] for row in hours["rows"]) == sum(row["joins"] for row in days["rows"]) == total
    starts = [datetime.fromisoformat(row["from"]) for row in hours["rows"]]
    assert {later - earlier for earlier, later in itertools.pairwise(starts)} == {timedelta(hours=1)}
    assert days["rows"][0]["from"] == "2021-11-02T00:00:00+09:00"
    week = {"by": "day", "from": "2022-01-21", "to": "2022-01-28"}
    asked = (await replica.http.get("/v1/joins", params=week)).json()["rows"]
    assert asked == [row for row in days["rows"] if "2022-01-21" <= row["from"][:10] < "2022-01-28"]
    assert len(asked) == 7


async def test_late_facts_restate(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    keep, undo, gone = (joined(END - timedelta(days=days)) for days in (3, 2, 1))
    await metrics.send([keep, undo, gone, published("a", START), published("b", START), time_passed(END)])
    await until(lambda: ledger(replica), lambda said: said["joins"] == 3 and len(said["publications"]) == 2)
    title = Title(ja="訂正", en="Corrected")
    await metrics.send(
        [
            voided(undo, END),
            left(END - timedelta(hours=5), gone.envelope.subject),
            corrected("a", END, 2, title=title, published_at=END - timedelta(days=4)),
            withdrawn("b", END, 2),
        ]
    )
    said = await until(lambda: ledger(replica), lambda said: said["joins"] == 2 and shown(said) == [("a", "Corrected")])
    assert [row["observed"] for row in said["publications"]] == [2]
    await until(lambda: members(replica), lambda said: said == 1)
    before = (await replica.http.get("/v1/members", params={"as_of": "2022-02-09T08:30:00Z"})).json()
    assert before == {"as_of": "2022-02-09T09:00:00Z", "members": 2}


def shown(ledger: Any) -> list[tuple[str, str]]:
    return [(row["id"], row["title"]["en"]) for row in ledger["publications"]]


async def members(replica: Replica) -> Any:
    return (await replica.http.get("/v1/members")).json()["members"]


@ON_BOTH
async def test_a_stream_reaches_from_the_first_time_passed_to_the_last(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    await metrics.send([time_passed(START), joined(START + timedelta(days=2)), time_passed(START + timedelta(days=5))])
    await until(lambda: ledger(replica), lambda said: said["as_of"] == "2021-11-06T15:00:00Z" and said["joins"] == 1)
    days = (await replica.http.get("/v1/joins", params={"by": "day"})).json()["rows"]
    assert [row["joins"] for row in days] == [0, 0, 1, 0, 0, 0]


async def test_on_the_wall_clock_a_join_is_in_todays_figures_at_once(metrics: Metrics) -> None:
    replica = await metrics.replica()
    assert (await replica.http.get("/v1/joins")).json()["rows"] == []
    await metrics.send(
        [joined(wall_now()), joined(wall_now(), precision="day"), joined(wall_now(), precision="unknown")]
    )
    found = await until(lambda: ledger(replica), lambda said: said["joins"] == 2)
    assert datetime.fromisoformat(found["as_of"]) in {
        hour_floor(wall_now()),
        hour_floor(wall_now() - timedelta(hours=1)),
    }
    rows = (await replica.http.get("/v1/joins", params={"by": "hour"})).json()["rows"]
    assert sum(row["joins"] for row in rows) == 1
    days = (await replica.http.get("/v1/joins", params={"by": "day"})).json()["rows"]
    assert sum(row["joins"] for row in days) == 2
    await until(lambda: members(replica), lambda said: said == 3)


@ON_APACHE
async def test_a_reader_resumes_on_any_replica(metrics: Metrics) -> None:
    one, two = await asyncio.gather(metrics.replica(clock="stream"), metrics.replica(clock="stream"))
    await metrics.send([joined(END - timedelta(days=1)), time_passed(END)])
    async with streamed(one) as messages:
        first = await until(lambda: anext(messages), lambda message: message.data["joins"] == 1)
    await metrics.send([joined(END - timedelta(days=1))])
    async with streamed(two, last=first.id) as messages:
        second = await until(lambda: anext(messages), lambda message: message.data["joins"] == 2)
        assert second.id > first.id
        assert second.event == "ledger"
        assert second.data["revision"] == second.id
        await metrics.send([joined(END - timedelta(days=1))])
        assert (await until(lambda: anext(messages), lambda message: message.data["joins"] == 3)).id > second.id
    async with streamed(one, last=10**12) as messages:
        await until(lambda: anext(messages), lambda message: message.data["joins"] == 3)


async def test_streams_end_when_the_process_stops(metrics: Metrics) -> None:
    replica = await metrics.replica()
    async with streamed(replica, last=0) as messages:
        await anext(messages)
        stopping = asyncio.create_task(replica.stop())
        async for _ in messages:
            pass
        await stopping
    metrics.replicas.remove(replica)


@ON_APACHE
async def test_another_replica_leads_when_the_leader_stops(metrics: Metrics) -> None:
    replicas = [await metrics.replica(clock="stream") for _ in range(2)]
    await metrics.send([joined(END - timedelta(days=1)), time_passed(END)])
    before = await until(lambda: ledger(replicas[0]), lambda said: said["joins"] == 1)
    leader = await leader_of(replicas)
    await leader.stop()
    metrics.replicas.remove(leader)
    (stays,) = metrics.replicas
    await metrics.send([joined(END - timedelta(days=2)) for _ in range(40)])
    after = await until(lambda: ledger(stays), lambda said: said["joins"] > 1)  # those of its own partitions come soon
    assert after["revision"] > before["revision"]
