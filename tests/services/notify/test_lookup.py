"""The system's resolver as a lookup: it answers, it fails as an OSError, and it holds nobody up."""

import asyncio
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest

from services.notify.lookup import SystemLookup

LEAVING = """
import asyncio, socket, threading
from services.notify.lookup import SystemLookup
socket.getaddrinfo = lambda *_, **__: threading.Event().wait()
async def ask():
    try:
        async with asyncio.timeout(0.05):
            await SystemLookup()("hooks.example.com")
    except TimeoutError:
        print("left")
asyncio.run(ask())
"""


async def test_a_name_of_this_machine_is_found() -> None:
    assert set(await SystemLookup()("localhost")) <= {"127.0.0.1", "::1"}


async def test_a_name_that_nobody_has_is_an_oserror() -> None:
    with pytest.raises(OSError, match=r"\S"):
        await SystemLookup()("nobody-has-this-name.invalid")


async def test_many_ask_at_once_on_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    busy: set[int] = set()

    def slowly(host: bytes, *_: Any, **__: Any) -> list[Any]:
        busy.add(threading.get_ident())
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host.decode(), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    lookup = SystemLookup()
    assert await asyncio.gather(*(lookup(f"h{n}.example") for n in range(300))) == [
        [f"h{n}.example"] for n in range(300)
    ]
    assert 1 <= len(busy) <= 32


async def test_threads_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    used: set[int] = set()

    def found(host: bytes, *_: Any, **__: Any) -> list[Any]:
        if host == b"again.example":  # others in this process ask, too
            used.add(threading.get_ident())
        return []

    monkeypatch.setattr(socket, "getaddrinfo", found)
    lookup = SystemLookup()
    for _ in range(100):
        assert await lookup("again.example") == []
    assert len(used) == 1


async def test_who_has_gone_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, hold = [], threading.Event()

    def held(host: bytes, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        hold.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", held)
    lookup = SystemLookup()
    holding = [asyncio.ensure_future(lookup(f"slow{n}.example")) for n in range(32)]
    gone, last = asyncio.ensure_future(lookup("gone.example")), asyncio.ensure_future(lookup("last.example"))
    await asyncio.sleep(0)
    gone.cancel()
    hold.set()
    assert await asyncio.gather(*holding, last) == [[]] * 33
    assert b"gone.example" not in asked


def test_a_lookup_that_never_ends_does_not_hold_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", LEAVING], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "left\n")
