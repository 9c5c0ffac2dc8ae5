"""Server-sent events over a real socket."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from shared.settings import ServiceSettings
from shared.web.sse import EventStream, Frame
from tests.web.conftest import Tokens, serve
from tests.web.small_service import compose


def test_a_frame_keeps_the_lines_of_its_data() -> None:
    assert Frame("a\nb", id="3", event="ledger").encode() == b"id: 3\nevent: ledger\ndata: a\ndata: b\n\n"
    assert Frame("").encode() == b"data: \n\n"


async def test_a_reader_who_goes_ends_the_source(settings: ServiceSettings, bearer: Tokens) -> None:
    service = compose(settings)
    async with serve(service) as client:
        async with client.stream("GET", "/v1/stream", headers=bearer("growth:read")) as stream:
            assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert stream.headers["cache-control"] == "no-store"
            assert await anext(stream.aiter_lines()) == "id: 7"
            assert not service.app.state.stream_closed.is_set()
        async with asyncio.timeout(60):
            await service.app.state.stream_closed.wait()


async def test_the_end_of_the_source_ends_the_answer_and_silence_is_filled(
    settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.web.sse.KEEPALIVE_S", 0.01)
    service = compose(settings)
    enough = asyncio.Event()

    async def frames() -> AsyncIterator[Frame]:
        await enough.wait()
        yield Frame("last")

    service.app.add_route("/v1/quiet", lambda _: EventStream(frames(), service.stopping))
    async with serve(service) as client, client.stream("GET", "/v1/quiet") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": still here"
        enough.set()
        assert [line for line in [line async for line in lines] if line and not line.startswith(":")] == ["data: last"]


async def test_a_source_that_breaks_breaks_the_answer(settings: ServiceSettings) -> None:
    service = compose(settings)

    async def frames() -> AsyncIterator[Frame]:
        yield Frame("one")
        raise RuntimeError("broken")

    service.app.add_route("/v1/breaks", lambda _: EventStream(frames(), service.stopping))
    async with serve(service) as client, client.stream("GET", "/v1/breaks") as stream:
        with pytest.raises(httpx.RemoteProtocolError):
            _ = [line async for line in stream.aiter_lines()]
