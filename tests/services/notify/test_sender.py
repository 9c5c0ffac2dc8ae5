"""One attempt against receivers that are slow, endless or hostile: it ends, and says in a word what happened."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.notify.address_guard import Guard, guarded_connector
from services.notify.lookup import Lookup
from services.notify.networks import parse_networks
from services.notify.outcome import Answer, Failure
from services.notify.sender import MOST_ANSWER_BYTES, HttpSender, Posting
from services.notify.target import Forbidden
from tests.services.notify.receiver import Delivered, receiving

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LOOPBACK = Guard(allow_private=parse_networks("127.0.0.0/8"))
SHORT_S = 0.3


async def nobody(host: str) -> Sequence[str]:
    raise OSError("no such name")


@asynccontextmanager
async def sending(guard: Guard = LOOPBACK, lookup: Lookup = nobody, total_s: float = 15) -> AsyncIterator[HttpSender]:
    sender = HttpSender(guard, lookup, total_s=total_s)
    await sender.start()
    try:
        yield sender
    finally:
        await sender.stop()


def post(url: str) -> Posting:
    return Posting(url, {"Content-Type": "application/cloudevents+json", "webhook-id": "msg_1"}, b"{}")


@asynccontextmanager
async def raw(talk: Talk) -> AsyncIterator[str]:
    """A receiver that speaks its own idea of HTTP; its address as a URL."""
    talks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def answer_of(talk: Talk, total_s: float = 15) -> Answer:
    async with raw(talk) as url, sending(total_s=total_s) as sender:
        return await sender.send(post(url))


async def test_a_delivery_carries_our_name_and_no_more_than_it_must() -> None:
    async with receiving() as receiver, sending() as sender:
        answer = await sender.send(post(receiver.url))
    assert (answer.status, answer.failure) == (204, None)
    (delivered,) = receiver.received
    assert delivered.headers["user-agent"] == "Kairan"
    assert set(delivered.headers) == {
        *("host", "user-agent", "accept", "accept-encoding", "content-length", "content-type", "webhook-id"),
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    async with receiving() as target:

        async def elsewhere(_: Delivered) -> web.StreamResponse:
            return web.Response(status=status, headers={"Location": target.url})

        async with receiving(elsewhere) as receiver, sending() as sender:
            answer = await sender.send(post(receiver.url))
        assert (answer.status, answer.failure) == (status, Failure.REDIRECT)
        assert target.received == []


async def test_retry_after_is_handed_on() -> None:
    async def busy(_: Delivered) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "30"})

    async with receiving(busy) as receiver, sending() as sender:
        answer = await sender.send(post(receiver.url))
    assert (answer.status, answer.retry_after_s) == (429, 30)


async def test_silence_ends() -> None:
    async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    assert (await answer_of(silent, SHORT_S)).failure is Failure.TIMEOUT


async def test_a_body_dripped_byte_by_byte_ends_with_the_whole_attempt() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert (await answer_of(drip, SHORT_S)).failure is Failure.TIMEOUT


async def test_headers_dripped_byte_by_byte_end_with_the_whole_attempt() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert (await answer_of(drip, SHORT_S)).failure is Failure.TIMEOUT


async def test_an_endless_body_is_cut_off_and_its_status_counts() -> None:
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 4096)
            await writer.drain()
            sent += 4096

    answer = await answer_of(endless)
    assert (answer.status, answer.failure) == (200, None)
    assert sent < 64 * MOST_ANSWER_BYTES  # what the sockets' buffers hold, not more


async def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (1 << 24))

    async def bombing(_: Delivered) -> web.StreamResponse:
        return web.Response(status=200, body=bomb, headers={"Content-Encoding": "gzip"})

    async with receiving(bombing) as receiver, sending() as sender:
        assert (await sender.send(post(receiver.url))).failure is None


async def test_a_flood_of_headers_is_a_broken_protocol() -> None:
    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for n in range(100_000):
            writer.write(b"X-%d: %s\r\n" % (n, b"x" * 100))
            await writer.drain()

    assert (await answer_of(flood)).failure is Failure.PROTOCOL


async def test_nonsense_and_a_slammed_door_have_their_words() -> None:
    async def nonsense(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp.example.com ESMTP\r\n")
        await writer.drain()

    async def slam(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    assert (await answer_of(nonsense)).failure is Failure.PROTOCOL
    assert (await answer_of(slam)).failure is Failure.DISCONNECTED


async def test_nobody_listening_and_no_tls() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with sending() as sender:
            assert (await sender.send(post(f"http://127.0.0.1:{port}/"))).failure is Failure.CONNECT
    async with receiving() as receiver, sending() as sender:
        answer = await sender.send(post(receiver.url.replace("http:", "https:")))
    assert answer.failure is Failure.TLS
    assert receiver.received == []


async def test_without_the_operators_word_loopback_is_never_dialled() -> None:
    async with receiving() as receiver, sending(Guard()) as sender:
        for url in (receiver.url, receiver.url.replace("http:", "https:")):
            assert (await sender.send(post(url))).failure is Failure.FORBIDDEN
    assert receiver.received == []


async def test_a_name_that_turns_private_is_not_dialled() -> None:
    answers = [["93.184.215.14"], ["169.254.169.254"], ["93.184.215.14", "::1"]]

    async def rebinding(_: str) -> Sequence[str]:
        return answers.pop(0)

    guard = Guard()
    target = guard.target("https://rebind.attacker.example/hook")
    assert await guard.addresses(target, rebinding)
    async with sending(guard, rebinding) as sender:
        for _ in range(2):
            assert (await sender.send(post(target.url))).failure is Failure.FORBIDDEN


async def test_no_name_server_is_a_word_of_its_own() -> None:
    async with sending() as sender:
        assert (await sender.send(post("https://hooks.example.com/"))).failure is Failure.DNS


async def test_the_connection_itself_refuses_what_the_lookup_let_through() -> None:
    """The last guard, at the socket: it also sees literals, which no resolver does."""
    connector = guarded_connector(Guard(), nobody, None, 4.0)
    try:
        factory = connector._socket_factory
        assert factory is not None
        with pytest.raises(Forbidden) as refusal:
            factory((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 443)))
        assert refusal.value.stage == "connect"
    finally:
        await connector.close()


async def test_proxies_from_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with sending() as sender:
            assert (await sender.send(post(receiver.url))).status == 204
        assert proxy.received == []
