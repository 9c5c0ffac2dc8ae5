"""What metrics makes of a history, through a whole stack: a milestone at a webhook, a ledger, accounts."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.clock import hour_floor
from tests.journeys.talk import Visitor, until
from tests.services.notify.receiver import Receiver, receiving, verify

PEOPLE = 120
PUBLISHED_AT = hour_floor(datetime.now(UTC)) - timedelta(days=20)
FIRST_AT = PUBLISHED_AT - timedelta(hours=PEOPLE // 2)

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class History:
    """An endpoint, a magazine, and a list of joins, one an hour; those after the magazine named it."""

    receiver: Receiver
    secret: str
    magazine: str
    members: list[str]


@pytest.fixture(scope="module")
async def history(visitor: Visitor) -> AsyncIterator[History]:
    async with receiving() as receiver:
        wish = {"url": receiver.url, "event_types": ["milestone-reached", "growth-*"]}
        endpoint = await visitor.ask("POST", "notify", "/v1/endpoints", "endpoints:write", json=wish)
        title = {"ja": "回覧 春号", "en": "Kairan, spring issue"}
        issue = {"kind": "magazine_issue", "title": title, "occurred_at": PUBLISHED_AT.isoformat()}
        magazine = await visitor.ask("POST", "events", "/v1/archives", "archives:write", "history:write", json=issue)
        members = []
        for n in range(PEOPLE):
            at = FIRST_AT + timedelta(hours=n)
            said: dict[str, Any] = {"occurred_at": at.isoformat(), "organisation": f"市役所 {n % 3}"}
            if at >= PUBLISHED_AT:
                said |= {"source": "publication", "source_ref": magazine["id"]}
            members.append(await visitor.join(**said))
        yield History(receiver, endpoint["secret"], magazine["id"], members)


async def read(visitor: Visitor, path: str) -> Any:
    return await visitor.ask("GET", "metrics", path, "growth:read")


async def test_a_receiver_hears_of_the_milestone_once(history: History) -> None:
    received = await history.receiver.until(lambda found: any("milestone" in one.event["type"] for one in found))
    for delivered in received:
        verify(history.secret, delivered)
    milestones = [one.event for one in received if one.event["type"] == "kairan.milestone-reached.v1"]
    assert [(one["subject"], one["data"]["value"]) for one in milestones] == [("community", 100)]
    assert datetime.fromisoformat(milestones[0]["time"]) == FIRST_AT + timedelta(hours=100)


async def test_the_ledger_gives_every_join_to_somebody_or_to_nobody(visitor: Visitor, history: History) -> None:
    ledger = await until(
        lambda: read(visitor, "/v1/ledger"), lambda found: found["joins"] == PEOPLE and found["publications"]
    )
    (row,) = ledger["publications"]
    assert (row["id"], row["observed"]) == (history.magazine, PEOPLE // 2)
    assert row["credit"] + ledger["organic"] == pytest.approx(PEOPLE)


async def test_accounts_know_who_left_and_no_split_of_few(visitor: Visitor, history: History) -> None:
    await visitor.ask("DELETE", "membership", f"/v1/members/{history.members[0]}", "members:write")
    found = await until(
        lambda: read(visitor, "/v1/accounting"),
        lambda said: (said["joins"], said["members"]) == (PEOPLE, PEOPLE - 1) and said["split_day"] is not None,
    )
    named = {one["source"]: one["joins"] for one in found["sources"]}
    assert named == {"publication": PEOPLE // 2, "search": PEOPLE // 2, "unknown": 0}
    assert found["reach"]["organisations"] == 3
    assert sum(one["joined"] for one in found["cohorts"]) <= PEOPLE
    assert all(one["left"] is None or one["left"] == 0 or one["left"] >= 10 for one in found["cohorts"])
