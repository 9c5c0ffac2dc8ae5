"""Asking for a host name's addresses: what a lookup is, and the one by the system's resolver."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Sequence
from queue import SimpleQueue
from typing import Final

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Host name -> its addresses as text. Raises OSError when the name has none or nobody answers."""

LOOKUP_TIMEOUT_S: Final = 3.0
_THREADS: Final = 32


def bounded(lookup: Lookup, most_s: float = LOOKUP_TIMEOUT_S) -> Lookup:
    """The same, but nobody waits longer: then, too, nobody has answered."""

    async def found(host: str) -> Sequence[str]:
        try:
            async with asyncio.timeout(most_s):
                return await lookup(host)
        except TimeoutError:
            raise OSError("no name server has answered in time") from None

    return found


class SystemLookup:
    """A Lookup by the system's resolver, on threads of its own.

    getaddrinfo cannot be cancelled: a dead name server must hold neither the loop's threads nor, as these are daemons,
    the end of the process.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[tuple[bytes, asyncio.Future[list[str]]]] = SimpleQueue()
        self._threads = 0
        self._idle = threading.Semaphore(0)

    async def __call__(self, host: str) -> Sequence[str]:
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        if not self._idle.acquire(blocking=False) and self._threads < _THREADS:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"dns-{self._threads}", daemon=True).start()
        # As bytes: a text would go through Python's codec, which knows IDNA 2003 only.
        self._asked.put((host.encode("ascii"), answer))
        return await answer

    def _serve(self) -> None:
        while True:
            host, answer = self._asked.get()
            gone = answer.done()  # who asked may have gone while others held all threads
            found = [] if gone else _found(host)
            self._idle.release()  # before the answer: whoever asks next after it finds this thread
            if not gone:
                _tell(answer, found)


def _found(host: bytes) -> list[str] | OSError:
    try:
        return [str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError as error:
        return error


def _tell(answer: asyncio.Future[list[str]], found: list[str] | OSError) -> None:
    def tell() -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    try:
        answer.get_loop().call_soon_threadsafe(tell)
    except RuntimeError:
        return  # the loop has ended; nobody waits
