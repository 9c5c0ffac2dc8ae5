"""The three health pages: what they say and with which status."""

import asyncio

import httpx

from shared.settings import ServiceSettings
from shared.web.health import Check, Health
from shared.web.lifecycle import Heartbeat
from tests.web.conftest import serve
from tests.web.small_service import compose


async def test_a_service_with_no_worries_is_well(client: httpx.AsyncClient) -> None:
    for page in ("live", "ready", "stream"):
        answer = await client.get(f"/health/{page}")
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"
        assert answer.headers["cache-control"] == "no-store"
    assert (await client.head("/health/live")).status_code == 200


async def test_one_failing_check_fails_its_page_alone_and_shows_its_detail(settings: ServiceSettings) -> None:
    health = Health()

    async def outbox() -> Check:
        return Check(False, {"depth": 12, "limit": 10})

    health.add_ready("outbox", outbox)
    health.add_ready("mongo", lambda: True)
    health.add_stream("growth", lambda: Check(True, {"assigned": [0, 1], "lag": 0}, status="standby"))
    async with serve(compose(settings, health=health)) as client:
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json() == {
            "status": "failing",
            "checks": {
                "outbox": {"status": "failing", "depth": 12, "limit": 10},
                "mongo": {"status": "ok"},
                "process": {"status": "ok", "phase": "serving"},
            },
        }
        assert (await client.get("/health/live")).status_code == 200
        stream = await client.get("/health/stream")
        assert stream.status_code == 200
        assert stream.json()["checks"]["growth"] == {"status": "standby", "assigned": [0, 1], "lag": 0}


async def test_a_check_that_raises_or_hangs_is_failing_and_others_still_answer() -> None:
    health = Health()

    async def hangs() -> bool:
        await asyncio.Event().wait()
        return True

    def raises() -> bool:
        raise RuntimeError("with a secret in it")

    health.add_ready("hangs", hangs)
    health.add_ready("raises", raises)
    health.add_ready("well", lambda: True)
    fine, body = await health.report("ready")
    assert not fine
    assert body["checks"] == {
        "hangs": {"status": "failing", "why": "no answer within 2 s"},
        "raises": {"status": "failing", "why": "RuntimeError"},
        "well": {"status": "ok"},
    }


async def test_the_heartbeat_fails_only_when_it_is_late(monkeypatch: object) -> None:
    health = Health()
    heartbeat = Heartbeat(health)
    await heartbeat.start()
    assert heartbeat.check().ok
    heartbeat._last -= Heartbeat.STUCK_S + 1
    fine, body = await health.report("live")
    assert not fine
    assert body["checks"]["loop"]["worst_lag_s"] > Heartbeat.STUCK_S
    await heartbeat.stop()
