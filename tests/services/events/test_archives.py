"""Something reaches the public, is corrected, is no longer offered."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.catalogue import ArchiveCorrected, ArchiveKind, ArchivePublished, ArchiveWithdrawn, Title
from tests.services.events.test_sessions import scheduled
from tests.services.world import World

TITLE = {"ja": "ジチタイ通信 春号", "en": "Local Government News"}


async def published(world: World, **said: Any) -> str:
    answer = await world.http.post("/v1/archives", json={"kind": "magazine_issue", "title": TITLE, **said})
    assert answer.status_code == 201
    archive_id: str = answer.json()["id"]
    return archive_id


@pytest.mark.parametrize("kind", ["session_recording", "minutes", "article", "magazine_issue", "broadcast"])
async def test_a_publication_has_its_true_time_and_a_random_link_code(events: World, kind: ArchiveKind) -> None:
    archive_id = await published(
        events, kind=kind, link="https://magazine.example/spring", occurred_at="2021-06-01T09:00:00+09:00"
    )
    [told] = await events.published("kairan.archive", archive_id)
    assert told.envelope.time == datetime(2021, 6, 1, tzinfo=UTC)
    shown = (await events.http.get(f"/v1/archives/{archive_id}")).json()
    assert len(shown["link_code"]) == 12
    assert told.data == ArchivePublished(
        kind=kind, audience="public", title=Title(**TITLE), link_code=shown["link_code"]
    )
    assert (shown["link"], shown["published_at"]) == ("https://magazine.example/spring", "2021-06-01T00:00:00Z")


async def test_only_who_may_write_history_dates_a_publication(events: World) -> None:
    headers = events.as_caller("archives:write")
    said = {"kind": "article", "title": TITLE}
    assert (await events.http.post("/v1/archives", json=said, headers=headers)).status_code == 201
    dated = {**said, "occurred_at": "2021-06-01T00:00:00Z"}
    assert (await events.http.post("/v1/archives", json=dated, headers=headers)).status_code == 403
    corrected = await events.http.post(
        f"/v1/archives/{await published(events)}/correct",
        json={"published_at": "2021-06-01T00:00:00Z"},
        headers=headers,
    )
    assert corrected.status_code == 403


async def test_the_session_of_an_archive_is_known(events: World) -> None:
    unknown = {"kind": "minutes", "title": TITLE, "session_id": str(uuid.uuid4())}
    assert (await events.http.post("/v1/archives", json=unknown)).status_code == 409
    session_id = await scheduled(events)
    archive_id = await published(events, kind="minutes", session_id=session_id)
    [told] = await events.published("kairan.archive", archive_id)
    assert isinstance(told.data, ArchivePublished)
    assert told.data.session_id == session_id


async def test_a_correction_tells_what_changed(events: World) -> None:
    archive_id = await published(events, theme_ids=["bosai"])
    said = {"published_at": "2021-06-02T00:00:00Z", "kind": "magazine_issue", "theme_ids": ["dx"], "title": None}
    answer = await events.http.post(f"/v1/archives/{archive_id}/correct", json=said)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    told = (await events.published("kairan.archive", archive_id))[1]
    assert told.data == ArchiveCorrected(published_at=datetime(2021, 6, 2, tzinfo=UTC), theme_ids=("dx",))
    shown = (await events.http.get(f"/v1/archives/{archive_id}")).json()
    assert (shown["published_at"], shown["theme_ids"], shown["title"]) == ("2021-06-02T00:00:00Z", ["dx"], TITLE)
    title = {"ja": "ジチタイ通信 初夏号", "en": "Early summer"}
    assert (await events.http.post(f"/v1/archives/{archive_id}/correct", json={"title": title})).status_code == 200
    told = (await events.published("kairan.archive", archive_id))[2]
    assert told.data == ArchiveCorrected(title=Title(**title))
    assert (await events.http.post(f"/v1/archives/{archive_id}/correct", json={"title": title})).status_code == 409


async def test_a_new_link_stays_in_the_service(events: World) -> None:
    archive_id = await published(events)
    moved = await events.http.post(f"/v1/archives/{archive_id}/correct", json={"link": "https://elsewhere.example/"})
    assert moved.status_code == 200
    told = (await events.published("kairan.archive", archive_id))[1]
    assert told.data == ArchiveCorrected()
    assert (await events.http.get(f"/v1/archives/{archive_id}")).json()["link"] == "https://elsewhere.example/"


async def test_a_withdrawn_archive_stays_withdrawn(events: World) -> None:
    archive_id = await published(events)
    answer = await events.http.post(f"/v1/archives/{archive_id}/withdraw", json={"reason_code": "rights"})
    assert answer.status_code == 200
    assert (await events.published("kairan.archive", archive_id))[1].data == ArchiveWithdrawn(reason_code="rights")
    for what, said in (("withdraw", {}), ("correct", {"kind": "article"})):
        assert (await events.http.post(f"/v1/archives/{archive_id}/{what}", json=said)).status_code == 409
    assert (await events.http.get(f"/v1/archives/{archive_id}")).json()["withdraw_reason"] == "rights"


@pytest.mark.parametrize(("method", "what"), [("GET", ""), ("POST", "/correct"), ("POST", "/withdraw")])
async def test_what_is_not_there_is_not_found(events: World, method: str, what: str) -> None:
    said = {"kind": "article"} if what == "/correct" else {}
    answer = await events.http.request(method, f"/v1/archives/{uuid.uuid4()}{what}", json=said)
    assert answer.status_code == 404
