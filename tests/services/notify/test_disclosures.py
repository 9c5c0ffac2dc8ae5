"""People's real ids: declared before they are given away, recorded when they are, and the record is kept."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.notify.disclosures import DISCLOSURES, KEPT_DAYS
from shared.catalogue import SessionHeld
from tests.services.notify.receiver import in_turn, receiving
from tests.services.notify.test_deliveries import logged
from tests.services.notify.world import DISCLOSURE, Register, World, about, joined

WISH = {"url": "https://hooks.example.com/kairan", "event_types": ["member-joined"], "identifiers": "real"}
ABROAD = {**DISCLOSURE, "country": "US", "foreign_basis": "consent", "recipient": "A receiver, Portland"}


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in DISCLOSURE.items() if field != name}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({}, "disclosure"),
        ({"disclosure": None}, "disclosure"),
        *(({"disclosure": without(name)}, name) for name in DISCLOSURE),
        ({"disclosure": DISCLOSURE | {"legal_basis": "curiosity"}}, "legal_basis"),
        ({"disclosure": DISCLOSURE | {"recipient": ""}}, "recipient"),
        ({"disclosure": DISCLOSURE | {"recipient": "a\u0000b"}}, "recipient"),
        ({"disclosure": DISCLOSURE | {"purpose": "x" * 501}}, "purpose"),
        ({"disclosure": DISCLOSURE | {"country": "ZZ"}}, "country"),
        ({"disclosure": DISCLOSURE | {"country": "jp"}}, "country"),
        ({"disclosure": DISCLOSURE | {"country": "US"}}, "foreign_basis"),
        ({"disclosure": ABROAD | {"foreign_basis": "trust"}}, "foreign_basis"),
    ],
)
async def test_what_lacks_of_a_disclosure_is_named(
    notify: httpx.AsyncClient, fields: dict[str, Any], named: str
) -> None:
    refused = await notify.post("/v1/endpoints", json={**WISH, **fields})
    assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert named in refused.json()["detail"]


async def test_what_is_declared_is_shown_and_can_be_changed_but_not_taken_back(
    notify: httpx.AsyncClient, world: World
) -> None:
    made = await notify.post("/v1/endpoints", json={**WISH, "disclosure": ABROAD})
    assert made.status_code == 201, made.text
    place = f"/v1/endpoints/{made.json()['id']}"
    assert (await notify.get(place)).json()["disclosure"] == ABROAD
    plain = world.caller("endpoints:write")
    assert (await notify.patch(place, json={"disclosure": DISCLOSURE}, headers=plain)).status_code == 403
    refused = await notify.patch(place, json={"disclosure": None})
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:kairan:problem:disclosure-needed")
    assert (await notify.patch(place, json={"disclosure": DISCLOSURE})).status_code == 200
    assert (await notify.get(place)).json()["disclosure"] == DISCLOSURE | {"foreign_basis": None}


async def test_each_delivery_of_real_ids_is_recorded_and_no_other(
    notify: httpx.AsyncClient, register: Register, world: World
) -> None:
    admin = world.caller("endpoints:admin")
    async with receiving(in_turn(500, 200)) as trusted, receiving() as other:
        endpoint = await register(trusted, "member-joined", "session-held", identifiers="real", disclosure=ABROAD)
        stranger = await register(other, "member-joined")
        join, now = joined(), datetime.now(UTC)
        held = about(SessionHeld(started_at=now, ended_at=now, attendees=2))
        await world.publish(join, held)
        rows = await logged(notify, endpoint, "delivered", count=2)
        await logged(notify, stranger, "delivered")
        (delivery,) = [row["id"] for row in rows if row["event_id"] == join.envelope.id]
        asked = {"endpoint": endpoint, "from": (now - timedelta(minutes=5)).isoformat()}
        answer = await notify.get("/v1/disclosures", params=asked, headers=admin)
    assert answer.status_code == 200, answer.text
    (record,) = answer.json()["disclosures"]
    assert record == record | ABROAD
    assert record["member_ids"] == [join.envelope.subject]
    assert (record["event_type"], record["webhook_id"]) == ("kairan.member-joined.v1", delivery)
    assert (record["endpoint_id"], record["state"]) == (endpoint, "delivered")
    for _ in range(2):
        pulled = await notify.get("/v1/events", params={"endpoint": endpoint})
        assert join.envelope.subject in pulled.text
    answer = await notify.get("/v1/disclosures", params=asked, headers=admin)
    assert [one["state"] for one in answer.json()["disclosures"]] == ["delivered", "read"]
    for params in ({"endpoint": stranger}, {**asked, "to": asked["from"]}):
        none = await notify.get("/v1/disclosures", params=params, headers=admin)
        assert none.json() == {"disclosures": []}
    table = await notify.get("/v1/disclosures", params={**asked, "format": "csv"}, headers=admin)
    row, _ = csv.DictReader(io.StringIO(table.text))
    assert (row["recipient"], row["member_ids"]) == (ABROAD["recipient"], join.envelope.subject)
    assert (await notify.get("/v1/disclosures")).status_code == 403
    assert (await notify.get("/v1/disclosures", params={"from": "0"}, headers=admin)).status_code == 422
    indexes = await world.store.collection(DISCLOSURES).index_information()
    assert indexes["at_expiry"]["expireAfterSeconds"] == KEPT_DAYS * 86400 >= 3 * 365 * 86400
