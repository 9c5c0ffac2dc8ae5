"""Receivers that are slow, silent, endless or bombs: an attempt on them ends, in a word, and costs next to no memory.

Each goes on for as long as it is let; the sender's own times, made small, end it. Where the number of bytes must do it,
the times are longer than a test may last.
"""

import asyncio
import gzip
import itertools
import socket
import tracemalloc
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer

import pytest

from services.notify.outcome import Answer, Failure
from services.notify.post import MOST_ANSWER_BYTES
from tests.services.notify.sending import Talk, answer_of, post, raw, sending

SHORT_S, NEVER_S = 0.3, 600.0
OK = b"HTTP/1.1 200 OK\r\n"
BOMB = gzip.compress(b"\0" * (1 << 24))


async def silent(_: Reader, __: Writer) -> None:
    await asyncio.Event().wait()


async def pour(writer: Writer, bytes_: bytes) -> None:
    writer.write(bytes_)
    await writer.drain()


async def drip(writer: Writer, start: bytes, drop: bytes = b"x") -> None:
    await pour(writer, start)
    while True:
        await pour(writer, drop)
        await asyncio.sleep(0.01)


async def gush(writer: Writer, start: bytes, wave: bytes) -> None:
    await pour(writer, start)
    while True:
        await pour(writer, wave)


async def slow_status(_: Reader, writer: Writer) -> None:
    await drip(writer, b"HTTP/1.1 200 ")


async def slow_headers(_: Reader, writer: Writer) -> None:
    await drip(writer, OK + b"X-Slow: ")


async def dripped_body(_: Reader, writer: Writer) -> None:
    await drip(writer, OK + b"Content-Length: 100000\r\n\r\n")


async def dripped_chunks(_: Reader, writer: Writer) -> None:
    await drip(writer, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")


async def no_end_of_a_short_body(_: Reader, writer: Writer) -> None:
    await pour(writer, OK + b"Content-Length: 2\r\n\r\nx")
    await asyncio.Event().wait()


async def half_an_answer(_: Reader, writer: Writer) -> None:
    await pour(writer, OK)
    await asyncio.Event().wait()


async def early_hints_for_ever(_: Reader, writer: Writer) -> None:
    await drip(writer, b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")


async def another_protocol_for_ever(_: Reader, writer: Writer) -> None:
    await drip(writer, b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")


SLOW: list[Talk] = [silent, slow_status, slow_headers, half_an_answer, early_hints_for_ever]
SLOW += [dripped_body, dripped_chunks, no_end_of_a_short_body]


@pytest.mark.parametrize("talk", SLOW)
async def test_a_slow_receiver_ends_with_the_whole_attempts_time(talk: Talk) -> None:
    answer = await answer_of(talk, SHORT_S)
    assert (answer.status, answer.failure) == (None, Failure.TIMEOUT)


async def test_a_change_of_protocol_is_not_followed() -> None:
    assert (await answer_of(another_protocol_for_ever, SHORT_S)).failure is not None


async def test_a_receiver_that_reads_nothing_ends_with_the_whole_attempts_time() -> None:
    async def deaf(_: Reader, writer: Writer) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async with raw(deaf) as url, sending(total_s=SHORT_S) as sender:
        assert (await sender.send(post(url, b"x" * (1 << 20)))).failure is Failure.TIMEOUT


async def over_tls(talk: Talk, *, total_s: float, connect_s: float) -> Answer:
    async with raw(talk) as url, sending(total_s=total_s, connect_s=connect_s) as sender:
        return await sender.send(post(url.replace("http:", "https:")))


async def dripped_handshake(_: Reader, writer: Writer) -> None:
    await drip(writer, b"\x16\x03\x03\x3f\xff", b"\0")


@pytest.mark.parametrize("talk", [silent, dripped_handshake])
async def test_tls_that_never_comes_about_ends_with_the_time_to_connect(talk: Talk) -> None:
    assert (await over_tls(talk, total_s=NEVER_S, connect_s=SHORT_S)).failure is Failure.TIMEOUT
    assert (await over_tls(talk, total_s=SHORT_S, connect_s=NEVER_S)).failure is Failure.TIMEOUT


async def endless_body(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"\r\n", b"x" * 4096)


async def endless_chunks(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n")


async def promised_terabyte(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"Content-Length: 1099511627776\r\n\r\n", b"x" * 4096)


async def gzip_bomb(_: Reader, writer: Writer) -> None:
    head = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
    await pour(writer, OK + head + BOMB)


async def endless_gzip(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"Content-Encoding: gzip\r\n\r\n", BOMB)


HUGE: list[Talk] = [endless_body, endless_chunks, promised_terabyte, gzip_bomb, endless_gzip]


@pytest.mark.parametrize("talk", HUGE)
async def test_a_huge_answer_is_cut_off_and_its_status_counts(talk: Talk) -> None:
    answer = await answer_of(talk, NEVER_S)
    assert (answer.status, answer.failure) == (200, None)


async def test_nothing_is_unpacked_so_nothing_can_be_wrong_with_it() -> None:
    async def no_gzip_at_all(_: Reader, writer: Writer) -> None:
        await pour(writer, OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone")

    answer = await answer_of(no_gzip_at_all, NEVER_S)
    assert (answer.status, answer.failure) == (200, None)


async def test_an_endless_body_is_not_read_beyond_what_is_allowed() -> None:
    sent = 0

    async def counting(_: Reader, writer: Writer) -> None:
        nonlocal sent
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # else up to 4 MiB
        await pour(writer, OK + b"\r\n")
        while True:
            await pour(writer, b"x" * 4096)
            sent += 4096

    await answer_of(counting, NEVER_S)
    assert sent < 64 * MOST_ANSWER_BYTES  # what the sockets' buffers hold, not more


async def many_headers(_: Reader, writer: Writer) -> None:
    await pour(writer, OK)
    for n in itertools.count():
        await pour(writer, b"X-%d: %s\r\n" % (n, b"x" * 100))


async def many_short_headers(_: Reader, writer: Writer) -> None:
    await gush(writer, OK, b"a:\r\n" * 1000)


async def a_long_header(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"X-Long: ", b"x" * 4096)


async def a_long_header_name(_: Reader, writer: Writer) -> None:
    await gush(writer, OK, b"x" * 4096)


async def a_long_status_line(_: Reader, writer: Writer) -> None:
    await gush(writer, b"HTTP/1.1 200 ", b"x" * 4096)


async def a_long_chunk_size(_: Reader, writer: Writer) -> None:
    await gush(writer, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 4096)


async def a_few_large_headers(_: Reader, writer: Writer) -> None:
    await pour(
        writer, OK + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 4000) for n in range(5)) + b"Content-Length: 0\r\n\r\n"
    )


FLOODS: list[Talk] = [
    a_few_large_headers,
    many_headers,
    many_short_headers,
    a_long_header,
    a_long_header_name,
    a_long_status_line,
]


@pytest.mark.parametrize("talk", FLOODS)
async def test_a_flood_of_headers_is_a_broken_protocol(talk: Talk) -> None:
    answer = await answer_of(talk, NEVER_S)
    assert (answer.status, answer.failure) == (None, Failure.PROTOCOL)


async def test_headers_of_an_ordinary_size_pass() -> None:
    async def ordinary(_: Reader, writer: Writer) -> None:
        headers = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 250) for n in range(50))
        await pour(writer, OK + headers + b"Content-Length: 0\r\n\r\n")

    assert (await answer_of(ordinary, NEVER_S)).failure is None


@pytest.mark.parametrize("talk", [a_long_chunk_size])
async def test_a_flood_inside_the_body_ends_too(talk: Talk) -> None:
    assert (await answer_of(talk, SHORT_S)).failure is not None


@pytest.mark.parametrize("talk", [*SLOW, *HUGE, *FLOODS, a_long_chunk_size])
async def test_no_receiver_costs_a_megabyte(talk: Talk) -> None:
    async with raw(talk) as url, sending(total_s=SHORT_S) as sender:
        await sender.send(post(url))  # what is loaded and cached the first time is nobody's cost
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            await sender.send(post(url))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert most - before < 1 << 20
