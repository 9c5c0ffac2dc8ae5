"""Accounting over HTTP: from facts on the bus to figures and tables, masked, and moved once a day."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from services.metrics.app import rebuild
from shared.catalogue import Event, MemberErased, MemberJoined, MemberProfile
from tests.services.metrics.facts import fact, left, time_passed, tombstone, voided
from tests.services.metrics.replicas import ON_APACHE, Metrics, Replica, until

START = datetime(2021, 5, 3, 3, tzinfo=UTC)
END = datetime(2021, 7, 1, 15, tzinfo=UTC)
A_DAY = timedelta(days=1)


def member(n: int, at: datetime, organisation: str | None, referrer: str | None, source: Any = "search") -> list[Event]:
    """A join and its profile, as membership publishes them."""
    name = f"m{n:03d}"
    said = MemberProfile(organisation=organisation, prefecture=None, referrer_id=referrer)
    return [fact(MemberJoined(source=source), name, at), fact(said, name, at)]


def community() -> list[Event]:
    """60 in May, of whom 12 were referred by m000; 24 in June, 11 of them by one of those 12."""
    facts = []
    for n in range(60):
        referrer = "m000" if n >= 48 else None
        facts += member(n, START, f"市役所 {n % 4}", referrer, "referral" if referrer else "search")
    for n in range(60, 84):
        referrer = "m050" if n < 71 else None
        facts += member(n, START + timedelta(days=33), None, referrer, "referral" if referrer else "unknown")
    return facts


async def accounts(replica: Replica, **asked: str) -> Any:
    answer = await replica.http.get("/v1/accounting", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@ON_APACHE
async def test_facts_become_accounts(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    facts = community()
    await metrics.send([*facts, *(left(START + 9 * A_DAY, f"m{n:03d}", START) for n in range(1, 13)), time_passed(END)])
    found = await until(lambda: accounts(replica), lambda said: said["split_day"] is not None)
    assert (found["members"], found["joins"], found["split_day"]) == (72, 84, "2021-07-01")
    assert found["reach"]["organisations"] == 4
    assert [(one["source"], one["joins"]) for one in found["sources"]] == [
        ("search", 48),
        ("referral", 23),
        ("unknown", 13),
    ]
    assert found["cohorts"] == [
        {"month": "2021-05", "joined": 60, "left": 12, "still": 48},
        {"month": "2021-06", "joined": 24, "left": 0, "still": 24},
    ]
    assert found["depths"] == [{"depth": 1, "people": 12}, {"depth": 2, "people": 11}]
    assert (found["referral"]["referred"], found["referral"]["coefficient"]) == (23, 23 / 84)
    assert [one["factor"] for one in found["growth"]] == [72 / 48, None, None]
    assert (await accounts(replica, as_of="2021-05-05"))["members"] == 60
    rows = await _table(replica)
    assert ["members", "", "72", "members"] in rows
    assert ["cohort_still", "2021-05", "48", "members"] in rows

    before = found
    await rebuild(metrics.settings("rebuild"), database=metrics.store.name)
    assert await accounts(replica) == before
    gone = [fact(MemberErased(basis="request"), "m050", END, 5), tombstone("m050", END, 5)]
    await metrics.send([*gone, voided(facts[2], END), time_passed(END + A_DAY)])
    after = await until(lambda: accounts(replica), lambda said: said["split_day"] == "2021-07-02")
    assert after["members"] == 71
    # m050 has no referrer any more, so 11 are one deeper no longer and one fewer was referred: 22 at depth 1.
    assert after["depths"] == [{"depth": 1, "people": 22}, {"depth": 2, "people": 0}]


async def _table(replica: Replica) -> list[list[str]]:
    answer = await replica.http.get("/v1/accounting", params={"format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[0] == ["measure", "key", "value", "unit"]
    return rows


async def test_few_are_masked_and_figures_move_once_a_day(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    facts = community()
    few = [left(START + 9 * A_DAY, f"m{n:03d}", START) for n in range(1, 4)]
    await metrics.send([*facts, *few, time_passed(END)])
    found = await until(lambda: accounts(replica), lambda said: said["split_day"] is not None)
    assert [(one["joined"], one["left"], one["still"]) for one in found["cohorts"]] == [
        (60, None, None),
        (24, None, None),
    ]
    many = [left(END - A_DAY, f"m{n:03d}", START) for n in range(4, 20)]
    await metrics.send([*many, time_passed(END + timedelta(hours=3))])
    same_day = await until(lambda: accounts(replica), lambda said: said["members"] == 84 - 3 - 16)
    assert (same_day["split_day"], same_day["cohorts"]) == (found["split_day"], found["cohorts"])
    await metrics.send([time_passed(END + A_DAY)])
    next_day = await until(lambda: accounts(replica), lambda said: said["split_day"] == "2021-07-02")
    assert [(one["left"], one["still"]) for one in next_day["cohorts"]] == [(19, 41), (0, 24)]
