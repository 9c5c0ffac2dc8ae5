"""A service as a process: shared addresses, a graceful end, honest exit codes, an answer while parts still start."""

import asyncio
import gzip
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import orjson
from aiohttp import web

from kairan.stack.ports import free_port
from tests.web.conftest import Tokens

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def process(keys: Path, **environment: str) -> AsyncIterator[Process]:
    """The small service as a process of its own; killed at the end if it still lives."""
    told = {"KAIRAN_JWKS_FILE": str(keys / "jwks.json")} | environment
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KAIRAN_")}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.web.small_service"), cwd=ROOT, env=inherited | told, stdout=PIPE, stderr=PIPE
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.kill()
        await started.communicate()


async def until(holds: Callable[[httpx.Response], bool], client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The first answer of which this holds."""
    async with asyncio.timeout(120):
        while True:
            with suppress(httpx.TransportError):
                answer = await client.get(path)
                if holds(answer):
                    return answer
            await asyncio.sleep(0.05)


def client_of(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)


def is_ok(answer: httpx.Response) -> bool:
    return answer.status_code == 200


async def test_two_processes_share_an_address_and_each_has_its_own(keys: Path, bearer: Tokens) -> None:
    shared, first, second = free_port(), free_port(), free_port()
    common = {"KAIRAN_BIND": f"127.0.0.1:{shared}"}
    async with (
        process(keys, **common, KAIRAN_OWN_BIND=f"127.0.0.1:{first}") as one,
        process(keys, **common, KAIRAN_OWN_BIND=f"127.0.0.1:{second}") as other,
        client_of(shared) as both,
        client_of(first) as client_one,
        client_of(second) as client_other,
    ):
        await until(is_ok, client_one, "/health/ready")
        await until(is_ok, client_other, "/health/ready")
        one.terminate()
        assert await one.wait() == 0
        answers = [await both.get("/v1/notes/known", headers=bearer("members:read")) for _ in range(20)]
        assert {answer.status_code for answer in answers} == {200}
        assert other.returncode is None


async def test_sigterm_lets_requests_finish_ends_streams_and_exits_0(keys: Path, bearer: Tokens) -> None:
    port = free_port()
    async with process(keys, KAIRAN_BIND=f"127.0.0.1:{port}") as service, client_of(port) as client:
        await until(is_ok, client, "/health/ready")
        headers = bearer("members:read", "growth:read")
        async with client.stream("GET", "/v1/stream", headers=headers) as stream:
            lines = stream.aiter_lines()
            assert [await anext(lines) for _ in range(5)] == [
                *("id: 7", "event: tick", "data: first", "data: second", ""),
            ]
            async with client_of(port) as another:
                in_flight = asyncio.create_task(another.get("/v1/slow", headers=headers))
                assert await anext(lines) == "data: slow has begun"
                service.send_signal(signal.SIGTERM)
                assert (await in_flight).json() == {"done": True}
            assert [line async for line in lines] == [""]
        assert await service.wait() == 0


async def test_it_answers_before_its_parts_have_started_and_stops_even_then(keys: Path, bearer: Tokens) -> None:
    port = free_port()
    async with process(keys, KAIRAN_BIND=f"127.0.0.1:{port}", SMALL_PART="hangs") as service, client_of(port) as client:
        await until(is_ok, client, "/health/live")
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["checks"]["process"] == {"status": "failing", "phase": "starting"}
        refused = await client.get("/v1/notes/known", headers=bearer("members:read"))
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:kairan:problem:starting"
        service.terminate()
        assert await service.wait() == 0


async def test_a_part_that_will_not_stop_does_not_hold_the_process(keys: Path) -> None:
    port = free_port()
    async with (
        process(keys, KAIRAN_BIND=f"127.0.0.1:{port}", SMALL_PART="clings") as service,
        client_of(port) as client,
    ):
        await until(is_ok, client, "/health/ready")
        service.terminate()
        assert await service.wait() == 0


async def test_a_part_that_cannot_start_ends_the_process_with_1(keys: Path) -> None:
    async with process(keys, KAIRAN_BIND=f"127.0.0.1:{free_port()}", SMALL_PART="fails") as service:
        output, _ = await service.communicate()
        assert service.returncode == 1
        last = next(line for line in map(orjson.loads, output.splitlines()) if line["level"] == "error")
        assert last["event"] == "a part failed to start"
        assert last["error"] == "RuntimeError"


async def test_a_taken_address_is_said_and_exits_3(keys: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with process(keys, KAIRAN_BIND=address) as service:
            output, _ = await service.communicate()
    assert service.returncode == 3
    line = orjson.loads(output.splitlines()[-1])
    assert line["why"] == f"KAIRAN_BIND={address}: Address already in use"


async def test_settings_that_make_no_sense_are_named_and_exit_2(keys: Path) -> None:
    async with process(keys, KAIRAN_BIND="nowhere", KAIRAN_CLOCK="sundial") as service:
        _, said = await service.communicate()
    assert service.returncode == 2
    assert b"KAIRAN_BIND: " in said
    assert b"KAIRAN_CLOCK: Input should be 'wall' or 'stream'" in said


async def test_with_an_operations_address_health_and_metrics_are_only_there(keys: Path) -> None:
    api, ops = free_port(), free_port()
    environment = {"KAIRAN_BIND": f"127.0.0.1:{api}", "KAIRAN_OPS_BIND": f"127.0.0.1:{ops}"}
    async with process(keys, **environment) as service, client_of(api) as api_client, client_of(ops) as ops_client:
        await until(is_ok, ops_client, "/health/ready")
        assert b"kairan_http_request_seconds" in (await ops_client.get("/metrics")).content
        assert (await api_client.get("/metrics")).status_code == 404
        assert (await api_client.get("/health/live")).status_code == 404
        assert (await api_client.get("/openapi.json")).status_code == 200
        service.send_signal(signal.SIGINT)
        assert await service.wait() == 0


async def test_logs_are_json_lines_without_queries_messages_or_tokens(keys: Path, bearer: Tokens) -> None:
    port = free_port()
    headers = bearer("members:read")
    async with process(keys, KAIRAN_BIND=f"127.0.0.1:{port}", KAIRAN_LOG_LEVEL="debug") as service:
        async with client_of(port) as client:
            await until(is_ok, client, "/health/ready")
            await client.get("/v1/notes/known?code=kairan-secret-code", headers=headers)
            await client.get("/v1/broken", headers=headers)
        service.terminate()
        output, errors = await service.communicate()
    for secret in (b"kairan-secret-code", b"Yamada", headers["Authorization"].encode()):
        assert secret not in output + errors
    lines = [orjson.loads(line) for line in output.splitlines()]
    assert {(line["service"], line["instance"]) for line in lines} <= {("membership", "local-1"), ("kairan", "local-1")}
    assert all(line["at"] and line["level"] and line["event"] for line in lines)
    failed = next(line for line in lines if line["event"] == "request failed")
    assert (failed["error"], failed["route"]) == ("ValueError", "/v1/broken")
    assert failed["frames"][-1].endswith("broken")


async def test_nobody_could_call_is_said_and_exits_2(keys: Path) -> None:
    async with process(keys, KAIRAN_JWKS_FILE="") as service:
        _, said = await service.communicate()
    assert service.returncode == 2
    assert said == b"nobody could call: set KAIRAN_JWKS_FILE or KAIRAN_OIDC_ISSUER\n"


async def test_spans_go_to_the_collector_under_the_trace_of_the_caller(keys: Path, bearer: Tokens) -> None:
    received: list[bytes] = []

    async def collect(request: web.Request) -> web.Response:
        received.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port, trace_id = free_port(), "4bf92f3577b34da6a3ce929d0e0e4736"
    collector = f"http://127.0.0.1:{runner.addresses[0][1]}"
    environment = {"KAIRAN_BIND": f"127.0.0.1:{port}", "KAIRAN_OTLP_ENDPOINT": collector, "KAIRAN_TRACE_RATIO": "0"}
    async with process(keys, **environment) as service, client_of(port) as client:
        await until(is_ok, client, "/health/ready")
        headers = bearer("members:write") | {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
        answer = await client.post("/v1/notes", json={"text": "a"}, headers=headers)
        ours = answer.json()["traceparent"]
        assert ours.startswith(f"00-{trace_id}-")
        assert not ours.endswith("-00f067aa0ba902b7-01")
        service.terminate()
        assert await service.wait() == 0
    await runner.cleanup()
    sent = gzip.decompress(b"".join(received)) if received[0][:2] == b"\x1f\x8b" else b"".join(received)
    assert bytes.fromhex(trace_id) in sent
    assert b"POST /v1/notes" in sent
    assert b"health" not in sent


async def test_a_collector_that_is_away_does_not_hold_the_process(keys: Path, bearer: Tokens) -> None:
    port = free_port()
    environment = {"KAIRAN_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}", "KAIRAN_TRACE_RATIO": "1"}
    async with process(keys, KAIRAN_BIND=f"127.0.0.1:{port}", **environment) as service, client_of(port) as client:
        await until(is_ok, client, "/health/ready")
        service.terminate()
        assert await service.wait() == 0
