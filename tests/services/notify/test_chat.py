"""From the bus into a chat: through the same lanes and log, unsigned, to an address that nobody is shown."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from services.notify.domain import CHAT_EVENTS
from shared.catalogue import ArchivePublished, ArchiveWithdrawn, Event, GrowthSpikeDetected, MilestoneReached, Title
from tests.services.notify.receiver import Delivered, Receiver, in_turn, receiving
from tests.services.notify.test_deliveries import logged
from tests.services.notify.world import Register, World, about, joined

NOW = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)
SLACK = "https://hooks.slack.com/services/T0000/B0000/XXXXXXXXXXXXXXXXXXXXabcd"


def spike(publication: str) -> Event:
    data = GrowthSpikeDetected(
        publication_id=publication,
        kind="magazine_issue",
        published_at=NOW,
        as_of=datetime.now(UTC) + timedelta(hours=4),
        observed=40,
        expected=9.5,
        extra=30.5,
        low=20,
        high=41,
        log_evidence=6.1,
        verdict="clear",
    )
    return about(data, publication)


def published(title: str) -> Event:
    return about(ArchivePublished(kind="magazine_issue", audience="public", title=Title(ja=title, en=title)))


def second(event: Event) -> Event:
    """The event as the second about its subject."""
    return replace(event, envelope=replace(event.envelope, aggregate_version=2))


def text_of(delivered: Delivered) -> str:
    return str(delivered.event["text"])


async def _telling(receiver: Receiver, words: str, count: int) -> list[Delivered]:
    """The deliveries with these words, once there are so many: a chat hears of other tests' troubles, too."""

    def such(found: list[Delivered]) -> list[Delivered]:
        return [one for one in found if words in (one.event.get("text") or one.event.get("content") or "")]

    return such(await receiver.until(lambda found: len(such(found)) == count))


async def test_growth_and_trouble_are_told_as_sentences(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as slack, receiving() as discord, receiving(in_turn(410)) as broken:
        mine = await register(slack, kind="slack", language="en")
        await register(discord, kind="discord")
        failing = await register(broken, "member-joined")
        issue, gone = published("春の号"), published("取り下げた号")
        withdrawn = second(about(ArchiveWithdrawn(reason_code="rights"), gone.envelope.subject))
        await world.publish(issue, gone, withdrawn)
        await _applied(world, issue, withdrawn)
        await world.publish(spike(issue.envelope.subject), spike(gone.envelope.subject), spike("never-heard-of"))
        told = await _telling(slack, "30 extra joins (20–41), 90 % range", 3)
        await _telling(discord, "上乗せ30人（20〜41人）", 3)
        assert sorted("春の号" in text_of(one) for one in told) == [False, False, True]
        assert sum("its title is not known here" in text_of(one) for one in told) == 2
        for one in told:
            assert one.headers["content-type"] == "application/json"
            assert "webhook-signature" not in one.headers
            assert (one.id[:4], one.attempt) == ("msg_", 1)
        join = joined()
        await world.publish(join)
        (disabled,) = await _telling(slack, f"Endpoint {failing} was disabled: it answered 410", 1)
        (row,) = await logged(notify, failing, "dropped")
        assert row["id"] in text_of(disabled), "it can be looked up in the log"
        assert join.envelope.id not in text_of(disabled)
        logged_ids = {one["id"] for one in await logged(notify, mine, "delivered", count=len(slack.received))}
        assert {one.id for one in (*told, disabled)} <= logged_ids


async def test_a_chat_that_asks_for_time_is_obeyed_and_what_apprise_tells_nobody_is_not_delivered(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async def busy(_: Delivered) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "1800"})

    async with receiving(busy) as teams, receiving(in_turn(204, 200)) as apprise:
        waits = await register(teams, "milestone-reached", kind="teams", language="ja")
        again = await register(apprise, "milestone-reached", kind="apprise", language="en")
        await world.publish(about(MilestoneReached(measure="members", value=5_000, as_of=NOW), "community"))
        (card,) = await teams.until(lambda found: len(found) == 1)
        (block,) = card.event["attachments"][0]["content"]["body"]
        assert block["inlines"][0]["text"].startswith("会員が5,000人に達しました")
        (row,) = await logged(notify, waits, "waiting", attempts=1)
        planned_at, next_at = (datetime.fromisoformat(row[name]) for name in ("planned_at", "next_attempt_at"))
        assert (next_at - planned_at).total_seconds() > 1700
        one, other = await apprise.until(lambda found: len(found) == 2)
        assert (one.id, one.body) == (other.id, other.body)
        assert one.event["body"].startswith("The community has reached 5,000 members")
        (row,) = await logged(notify, again, "delivered")
        assert [attempt["status"] for attempt in row["attempts"]] == [204, 200]


async def test_a_chats_url_is_sealed_and_shown_masked(notify: httpx.AsyncClient, world: World) -> None:
    created = await notify.post("/v1/endpoints", json={"url": SLACK, "kind": "slack"})
    assert created.status_code == 201, created.text
    assert set(created.json()) == {"id", "version"}, "there is no secret to check signatures with"
    shown = (await notify.get(f"/v1/endpoints/{created.json()['id']}")).json()
    assert shown["url"] == "https://hooks.slack.com/…/abcd"
    assert (shown["kind"], shown["language"]) == ("slack", "ja")
    assert shown["event_types"] == list(CHAT_EVENTS)
    stored = await world.store.collection("endpoints").find_one({"_id": created.json()["id"]})
    assert stored["sealed_url"].startswith("gAAAA")
    assert "XXXX" not in repr(stored)
    assert (await notify.delete(f"/v1/endpoints/{created.json()['id']}")).status_code == 200
    assert (await world.store.collection("endpoints").find_one({"_id": created.json()["id"]}))["sealed_url"] is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "slack", "identifiers": "real"}, "identifiers"),
        ({"kind": "line"}, "kind"),
        ({"kind": "slack", "language": "fr"}, "language"),
        ({}, "event_types"),
        ({"kind": "teams", "event_types": []}, "event_types"),
    ],
)
async def test_what_is_no_chat_is_refused_with_words(
    notify: httpx.AsyncClient, fields: dict[str, Any], named: str
) -> None:
    refused = await notify.post("/v1/endpoints", json={"url": SLACK, **fields})
    assert refused.status_code == 422
    assert named in refused.json()["detail"]


async def _applied(world: World, *events: Event) -> None:
    """Waits until notify has heard these; different topics are read in no order."""
    publications = world.store.collection("publications")
    wanted = [
        {"_id": event.envelope.subject, "title": None if isinstance(event.data, ArchiveWithdrawn) else {"$ne": None}}
        for event in events
    ]
    async with asyncio.timeout(90):
        while await publications.count_documents({"$or": wanted}) < len(wanted):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
