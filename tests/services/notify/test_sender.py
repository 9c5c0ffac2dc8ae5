"""One attempt: what it carries, what it makes of an answer or of none, and what it refuses to dial."""

import asyncio
import socket
from collections.abc import Sequence

import pytest
from aiohttp import web

from services.notify.address_guard import Guard
from services.notify.lookup import bounded
from services.notify.outcome import Failure
from services.notify.sender import Posting, Warm
from tests.services.notify.receiver import Delivered, receiving
from tests.services.notify.sending import answer_of, post, raw, sending


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


async def test_a_header_that_would_begin_another_is_not_sent() -> None:
    async with receiving() as receiver, sending() as sender:
        for value in ("a\r\nX-Forged: b", "a\nX-Forged: b", "a\r"):
            answer = await sender.send(Posting(receiver.url, {"webhook-id": value}, b"{}"))
            assert (answer.status, answer.failure) == (None, Failure.PROTOCOL)
        assert receiver.received == []


async def test_answers_before_the_answer_are_passed_over_and_the_connection_serves_again() -> None:
    async def hints_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(b"{}"))
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            connections.add(writer)

    connections: set[asyncio.StreamWriter] = set()
    async with raw(hints_first) as url, sending() as sender:
        for _ in range(3):
            assert (await sender.send(post(url))).status == 200
    assert len(connections) == 1


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


def test_a_host_keeps_its_tls_connection_while_there_is_room_and_gives_the_room_back_when_idle() -> None:
    warm = Warm(2)
    assert [warm.keeps(host, 0.0) for host in ("a", "b", "c", "a")] == [True, True, False, True]
    assert warm.keeps("b", 15.0)
    assert not warm.keeps("c", 15.0)
    assert warm.keeps("c", 25.0)
    assert not warm.keeps("a", 25.0)


async def test_no_name_server_is_a_word_of_its_own() -> None:
    async with sending() as sender:
        assert (await sender.send(post("https://hooks.example.com/"))).failure is Failure.DNS


async def test_a_name_server_that_says_nothing_is_given_up_long_before_the_attempt() -> None:
    async def silent(_: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async with sending(lookup=bounded(silent, 0.05)) as sender:
        assert (await sender.send(post("https://hooks.example.com/"))).failure is Failure.DNS


async def test_proxies_from_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with sending() as sender:
            assert (await sender.send(post(receiver.url))).status == 204
        assert proxy.received == []
