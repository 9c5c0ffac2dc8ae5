"""What an owner does with an endpoint that is there: change it, try it, give it another secret."""

import asyncio
import uuid
from typing import Any

import httpx
import pytest

from shared.catalogue import MemberJoined, MemberLeft
from tests.services.notify.receiver import receiving
from tests.services.notify.world import DISCLOSURE, Register, World, about, joined

URL = "https://hooks.example.com/kairan"


async def made(notify: httpx.AsyncClient, **fields: Any) -> str:
    """The path of a new endpoint."""
    wish = {"url": URL, "event_types": ["member-joined"], **fields}
    if fields.get("identifiers") == "real":
        wish["disclosure"] = DISCLOSURE
    answer = await notify.post("/v1/endpoints", json=wish)
    assert answer.status_code == 201, answer.text
    return f"/v1/endpoints/{answer.json()['id']}"


async def test_only_what_is_named_is_changed_and_null_sets_the_default_again(notify: httpx.AsyncClient) -> None:
    place = await made(notify, description="one", in_flight=7, per_minute=60, expires_after_s={"member-*": 60})
    before = (await notify.get(place)).json()
    condition = {
        "any": [{"path": "data.source", "equals": "search"}, {"path": "time", "range": {"lt": "2030-01-01T00:00:00Z"}}]
    }
    wanted = {
        "url": "https://other.example.com/hook",
        "event_types": ["session-*", "session-*", "growth-*"],
        "filter": condition,
        "ordered": True,
        "in_flight": None,
        "description": None,
    }
    assert (await notify.patch(place, json=wanted)).status_code == 200
    after = (await notify.get(place)).json()
    assert after == before | wanted | {"event_types": ["session-*", "growth-*"], "description": ""}
    assert (await notify.patch(place, json={"filter": None, "expires_after_s": None})).status_code == 200
    assert (await notify.get(place)).json() == after | {"filter": None, "expires_after_s": None}


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ({"colour": "red"}, "invalid-request"),
        ({"url": None}, "invalid-request"),
        ({"event_types": None}, "invalid-request"),
        ({"event_types": []}, "invalid-request"),
        ({"identifiers": "real"}, "invalid-request"),
        ({"owner": "me"}, "invalid-request"),
        ({"in_flight": 65}, "invalid-request"),
        ({"in_flight": "2"}, "invalid-request"),
        ({"url": "https://10.0.0.3/"}, "forbidden-url"),
        ({"event_types": ["membr-*"]}, "unknown-event-type"),
        ({"expires_after_s": {"membr-*": 5}}, "unknown-event-type"),
        ({"filter": {"path": "data.source", "like": "x"}}, "bad-filter"),
        ({"filter": []}, "invalid-request"),
    ],
)
async def test_a_change_is_judged_as_a_new_endpoint_is(notify: httpx.AsyncClient, body: Any, slug: str) -> None:
    place = await made(notify)
    before = (await notify.get(place)).json()
    refused = await notify.patch(place, json=body)
    assert (refused.status_code, refused.json()["type"]) == (422, f"urn:kairan:problem:{slug}")
    assert (await notify.get(place)).json() == before


async def test_a_change_is_the_owners_and_its_key_counts(notify: httpx.AsyncClient, world: World) -> None:
    place = await made(notify)
    body = {"description": "changed"}
    stranger = world.caller("endpoints:write", subject="stranger")
    assert (await notify.patch(place, json=body, headers=stranger)).status_code == 404
    assert (await notify.patch(place, json=body, headers=world.caller("endpoints:read"))).status_code == 403
    assert (await notify.patch(f"/v1/endpoints/{uuid.uuid4()}", json=body)).status_code == 404
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = await notify.patch(place, json=body, headers=key)
    assert (await notify.patch(place, json={"description": "meanwhile"})).status_code == 200
    assert (await notify.patch(place, json=body, headers=key)).json() == first.json()
    assert (await notify.get(place)).json()["description"] == "meanwhile"
    assert (await notify.patch(place, json={"ordered": True}, headers=key)).status_code == 422


async def test_a_filter_decides_what_is_planned_and_sees_only_the_endpoints_own_ids(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    first, last = joined(), joined()
    async with receiving() as real, receiving() as pairwise, receiving() as witness:
        wanted = {"path": "subject", "equals": first.envelope.subject}
        await register(real, "member-joined", identifiers="real", filter=wanted)
        hidden = await register(pairwise, "member-joined", filter=wanted)
        await register(witness, "member-joined", identifiers="real")
        await world.publish(joined(), first)
        await real.about(first.envelope.subject)
        await witness.about(first.envelope.subject)
        assert (await notify.patch(f"/v1/endpoints/{hidden}", json={"filter": None})).status_code == 200
        await world.publish(last)
        (found,) = await pairwise.until(lambda received: len(received) == 1)
        assert found.sequence == 1  # the real id that its filter named was never there to be seen
        assert [one.event["subject"] for one in real.received] == [first.envelope.subject]


async def dry_run(notify: httpx.AsyncClient, place: str, *ids: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The endpoint's own dry run once it has seen these events, and what it says of each."""
    async with asyncio.timeout(30):
        while True:
            found = (await notify.post(f"{place}/dry-run")).json()
            said = {one["id"]: one for one in found["events"]}
            if said.keys() >= set(ids):
                return found, [said[one] for one in ids]
            await asyncio.sleep(0.2)


async def test_a_dry_run_says_of_the_last_events_which_would_have_come_and_why_not(
    notify: httpx.AsyncClient, world: World
) -> None:
    place = await made(notify, identifiers="real", filter={"path": "data.source", "equals": "search"})
    join, other, left = joined(), about(MemberJoined(source="referral")), about(MemberLeft(reason_code="self"))
    await world.publish(left, join, other)
    found, (fits, filtered, unheard) = await dry_run(notify, place, *(one.envelope.id for one in (join, other, left)))
    assert (fits["type"], fits["match"], fits["why_not"], fits["place"]) == (
        "kairan.member-joined.v1",
        True,
        None,
        None,
    )
    assert (filtered["match"], filtered["why_not"], filtered["place"]) == (False, "filter", "filter")
    assert (unheard["match"], unheard["why_not"]) == (False, "event_types")
    assert found["looked_at"] == len(found["events"]) <= 100
    assert found["matched"] == sum(one["match"] for one in found["events"])


async def test_a_dry_run_tries_what_it_is_given_and_shows_pairwise_ids(notify: httpx.AsyncClient, world: World) -> None:
    real, place = await made(notify, identifiers="real"), await made(notify)
    join = joined()
    await world.publish(join)
    await dry_run(notify, real, join.envelope.id)
    condition = {"all": [{"path": "type", "exists": True}, {"path": "subject", "equals": join.envelope.subject}]}
    tried = (await notify.post(f"{place}/dry-run", json={"event_types": ["*"], "filter": condition})).json()
    assert {(one["why_not"], one["place"]) for one in tried["events"]} <= {
        ("filter", "filter.all[1]"),
        ("itself", None),
    }
    assert join.envelope.id not in {one["id"] for one in tried["events"]}
    everything = (await notify.post(f"{place}/dry-run", json={"event_types": ["member-*"], "filter": None})).json()
    assert everything["matched"] >= 1
    bad = await notify.post(f"{place}/dry-run", json={"filter": {"path": "type"}})
    assert (bad.status_code, bad.json()["place"]) == (422, "filter")
    assert (await notify.post(f"/v1/endpoints/{uuid.uuid4()}/dry-run")).status_code == 404
