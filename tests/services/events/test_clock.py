"""The clock of a replayed year goes on, is told to all, and rules what is not dated."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.events.app import build
from shared.catalogue import TimePassed
from tests.services.conftest import Start
from tests.services.events.conftest import SCOPES
from tests.services.events.test_archives import published
from tests.services.world import World


async def test_time_is_told_to_a_stream_only(events: World) -> None:
    answer = await events.http.post("/v1/clock", json={"until": "2022-03-31T15:00:00Z"})
    assert answer.status_code == 409


@pytest.fixture
async def begun(start: Start) -> AsyncIterator[World]:
    """A stream of its own, whose time nobody else has told."""
    async with start(build, "events_clock", SCOPES, clock="stream") as world:
        yield world


async def test_time_goes_on_and_is_told(begun: World) -> None:
    async def until(moment: str) -> int:
        return (await begun.http.post("/v1/clock", json={"until": moment})).status_code

    assert await until("2022-03-31T14:00:00Z") == 200
    assert await until("2022-03-31T15:00:00Z") == 200
    assert await until("2022-03-31T15:00:00Z") == 200
    assert await until("2022-03-31T14:59:59Z") == 409
    assert await until("9000-01-01T00:00:00Z") == 409
    assert await until("2150-01-01T00:00:00Z") == 409
    told = await begun.published("kairan.clock", "clock")
    moments = [event.data.until for event in told if isinstance(event.data, TimePassed)]
    assert moments[-3:] == [datetime(2022, 3, 31, hour, tzinfo=UTC) for hour in (14, 15, 15)]
    assert told[-1].envelope.time == told[-1].envelope.recorded_time == moments[-1]
    archive_id = await published(begun)
    shown = (await begun.http.get(f"/v1/archives/{archive_id}")).json()
    assert shown["published_at"] == "2022-03-31T15:00:00Z"
