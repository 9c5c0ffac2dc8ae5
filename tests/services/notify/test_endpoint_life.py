"""What an owner does with an endpoint that is there: change it, try it, give it another secret."""

import asyncio
import base64
import contextlib
import time
import uuid
from typing import Any

import httpx
import pytest
import standardwebhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.notify.store import NotifyStore
from shared.catalogue import MemberJoined, MemberLeft
from tests.journeys.talk import until
from tests.services.notify.receiver import Delivered, Receiver, receiving, verify
from tests.services.notify.test_deliveries import logged
from tests.services.notify.world import DISCLOSURE, Register, World, about, joined

URL = "http://127.0.0.1:9/kairan"  # where nobody listens, and no name server is asked


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
        "url": "http://127.0.0.2:9/hook",
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

    async def look() -> dict[str, Any]:
        found: dict[str, Any] = (await notify.post(f"{place}/dry-run")).json()
        return found

    found = await until(look, lambda found: set(ids) <= {one["id"] for one in found["events"]})
    return found, [next(one for one in found["events"] if one["id"] == wanted) for wanted in ids]


async def test_a_dry_run_says_of_the_last_events_which_would_have_come_and_why_not(
    notify: httpx.AsyncClient, world: World
) -> None:
    place = await made(
        notify, identifiers="real", disclosure=DISCLOSURE, filter={"path": "data.source", "equals": "search"}
    )
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
    real, place = await made(notify, identifiers="real", disclosure=DISCLOSURE), await made(notify)
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


async def signed_with(receiver: Receiver, secret: str, world: World) -> Delivered:
    """A delivery that this secret verifies; joins are told of until the lane has heard of the secret."""
    receiver.secret = secret
    before = len(receiver.received)
    async with asyncio.timeout(90):
        while len(receiver.received) == before:
            await world.publish(joined())
            with contextlib.suppress(TimeoutError):
                await receiver.until(lambda found: len(found) > before, timeout_s=1)
    return receiver.received[-1]


async def test_a_rotated_secret_signs_beside_the_former_one_until_that_has_expired(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        endpoint = await register(receiver, "member-joined")
        place = f"/v1/endpoints/{endpoint}"
        old = receiver.secret
        assert old is not None
        rotated = await notify.post(f"{place}/rotate", json={"overlap_s": 3600})
        assert rotated.status_code == 200
        new = rotated.json()["secret"]
        verify(old, await signed_with(receiver, new, world))
        shown = await notify.get(place)
        assert [one["expires_at"] is None for one in shown.json()["secrets"]] == [True, False]
        assert new not in shown.text
        own = "whsec_" + base64.b64encode(bytes(range(32))).decode()
        assert (await notify.post(f"{place}/rotate", json={"overlap_s": 0, "secret": own})).json()["secret"] == own
        last = await signed_with(receiver, own, world)
        for secret in (old, new):
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook(secret).verify(last.body, last.headers)
        stored = await world.store.collection("endpoints").find_one({"_id": endpoint})
        assert len(stored["secrets"]) == 1


async def test_secrets_are_bounded_shown_once_and_a_repeat_shows_the_same(notify: httpx.AsyncClient) -> None:
    place = await made(notify)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, again = [await notify.post(f"{place}/rotate", headers=key) for _ in range(2)]
    assert first.json() == again.json()
    for _ in range(3):
        assert (await notify.post(f"{place}/rotate")).status_code == 200
    refused = await notify.post(f"{place}/rotate")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:kairan:problem:too-many-secrets")
    assert (await notify.post(f"{place}/rotate", json={"overlap_s": 0})).status_code == 200
    assert len((await notify.get(place)).json()["secrets"]) == 1
    gone = await notify.post(f"{place}/rotate", headers=key)
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:kairan:problem:secret-gone")


async def test_an_expired_secret_leaves_the_document(notify: httpx.AsyncClient, world: World) -> None:
    place = await made(notify)
    assert (await notify.post(f"{place}/rotate", json={"overlap_s": 60})).status_code == 200
    wanted = {"_id": place.rpartition("/")[2]}
    for later_s, left in ((30, 2), (90, 1)):
        await NotifyStore(world.store).forget_secrets(int((time.time() + later_s) * 1000))
        assert len((await world.store.collection("endpoints").find_one(wanted))["secrets"]) == left


@pytest.mark.parametrize(
    "body",
    [
        {"overlap_s": 30 * 86_400 + 1},
        {"overlap_s": -1},
        {"secret": "whsec_c2hvcnQ="},
        {"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        {"secret": "whsec_" + "A" * 120},
        {"secret": "whsk_" + "A" * 36},
        {"secret": "whsec_" + "A" * 32 + "\r\n"},
    ],
)
async def test_what_is_no_secret_is_refused(notify: httpx.AsyncClient, body: Any) -> None:
    assert (await notify.post(f"{await made(notify)}/rotate", json=body)).status_code == 422
    refused = await notify.post("/v1/endpoints", json={"url": URL, "event_types": ["*"], **body})
    assert refused.status_code == 422


async def test_v1a_is_verified_with_the_public_key_alone(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    async with receiving() as receiver:
        answer = await notify.post(
            "/v1/endpoints", json={"url": receiver.url, "event_types": ["member-joined"], "signature": "v1a"}
        )
        assert answer.json()["secret"] is None
        await world.publish(joined())
        (told,) = await receiver.until(lambda found: len(found) == 1)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(answer.json()["public_key"].removeprefix("whpk_")))
    version, _, signature = told.headers["webhook-signature"].partition(",")
    assert version == "v1a"
    signed = f"{told.id}.{told.headers['webhook-timestamp']}.".encode() + told.body
    public.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), signed + b" ")
    assert (await notify.delete(f"/v1/endpoints/{answer.json()['id']}")).status_code == 200


async def test_the_audit_names_who_changed_what_and_never_a_value(notify: httpx.AsyncClient, world: World) -> None:
    place = await made(notify)
    admin = world.caller("endpoints:write", "endpoints:admin", subject="admin")
    assert (await notify.patch(place, json={"description": "hidden words"}, headers=admin)).status_code == 200
    secret = (await notify.post(f"{place}/rotate")).json()["secret"]
    assert (await notify.delete(place)).status_code == 200
    answer = await notify.get(f"{place}/audit")
    lines = [(one["subject"], one["operation"], one["changed"]) for one in answer.json()["lines"]]
    assert lines[1:3] == [("tester", "rotate", ["secrets"]), ("admin", "update", ["description"])]
    assert (lines[0][1], lines[3][1]) == ("delete", "create")
    assert "hidden words" not in answer.text
    assert secret not in answer.text
    stranger = world.caller("endpoints:read", subject="stranger")
    assert (await notify.get(f"{place}/audit", headers=stranger)).status_code == 404


async def test_an_owner_has_so_many_endpoints_and_no_more_however_many_are_asked_for_at_once(world: World) -> None:
    body = {"url": URL, "event_types": ["member-joined"]}
    async with (
        world.running("notify-2", notify_most_endpoints=3) as one,
        world.running("notify-3", notify_most_endpoints=3) as two,
    ):
        for client in (one, two):
            client.headers.update(world.caller("endpoints:read", "endpoints:write", subject="many"))
        answers = await asyncio.gather(*(client.post("/v1/endpoints", json=body) for client in (one, two) * 6))
        assert {answer.status_code for answer in answers} == {201, 409}
        made = [answer.json()["id"] for answer in answers if answer.status_code == 201]
        assert len(made) == len((await one.get("/v1/endpoints")).json()["endpoints"]) <= 3
        while len(made) < 3:
            made.append((await one.post("/v1/endpoints", json=body)).json()["id"])
        refused = await one.post("/v1/endpoints", json=body)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:kairan:problem:too-many-endpoints")
        assert (await one.delete(f"/v1/endpoints/{made[0]}")).status_code == 200
        assert (await two.post("/v1/endpoints", json=body)).status_code == 201


async def test_a_test_event_comes_to_this_endpoint_alone_signed_and_numbered_and_is_logged(
    notify: httpx.AsyncClient, register: Register
) -> None:
    async with receiving() as receiver, receiving() as other:
        endpoint = await register(receiver, "session-held", filter={"path": "type", "equals": "never"})
        await register(other, "*")
        key = {"Idempotency-Key": str(uuid.uuid4())}
        place = f"/v1/endpoints/{endpoint}"
        first, again = [await notify.post(f"{place}/test", headers=key) for _ in range(2)]
        assert (first.status_code, first.json()) == (202, again.json())
        second = (await notify.post(f"{place}/test")).json()
        told, _ = await receiver.until(lambda found: len(found) == 2)
        assert told.event["type"] == "kairan.endpoint-test.v1"
        assert (told.event["subject"], told.event["data"]["test"]) == (endpoint, True)
        assert (first.json()["sequence"], second["sequence"]) == (1, 2)
        assert {one.id for one in receiver.received} == {first.json()["delivery_id"], second["delivery_id"]}
        assert not [one for one in other.received if one.event["type"] == told.event["type"]]
        await logged(notify, endpoint, "delivered", count=2)  # what is written later would differ from what is read now
        log = (await notify.get("/v1/deliveries", params={"endpoint": endpoint})).json()["deliveries"]
        assert {one["event_type"] for one in log} == {"kairan.endpoint-test.v1"}
        for pattern in ("kairan.endpoint-test.v1", "endpoint-test", "endpoint-*"):
            asked = {"endpoint": endpoint, "event_type": pattern}
            assert (await notify.get("/v1/deliveries", params=asked)).json()["deliveries"] == log
    assert (await notify.post(f"/v1/endpoints/{uuid.uuid4()}/test")).status_code == 404
