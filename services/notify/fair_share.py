"""This process's requests under way: so many at most, given round robin over owners, then over their endpoints.

An endpoint whose last answer was a failure is a suspect: all suspects together have a quarter of the places, so that
receivers that hang, however many, never hold what the others need.
"""

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SUSPECTS: Final = 4
Turn = asyncio.Future[None]


class Rounds:
    """Who waits: one of each owner in turn, and of an owner's endpoints one of each in turn."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, OrderedDict[str, deque[Turn]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._owners)

    def add(self, owner: str, endpoint: str, turn: Turn) -> None:
        self._owners.setdefault(owner, OrderedDict()).setdefault(endpoint, deque()).append(turn)

    def next(self) -> Turn:
        """Raises StopIteration when nobody waits."""
        owner, endpoints = next(iter(self._owners.items()))
        endpoint, turns = next(iter(endpoints.items()))
        turn = turns.popleft()
        endpoints.move_to_end(endpoint)
        self._owners.move_to_end(owner)
        self._tidy(owner, endpoint)
        return turn

    def remove(self, owner: str, endpoint: str, turn: Turn) -> None:
        self._owners[owner][endpoint].remove(turn)
        self._tidy(owner, endpoint)

    def _tidy(self, owner: str, endpoint: str) -> None:
        if not self._owners[owner][endpoint]:
            del self._owners[owner][endpoint]
        if not self._owners[owner]:
            del self._owners[owner]


class FairShare:
    """`most` places. `place()` waits for one and holds it; cancelled, it gives it to the next."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._used = 0
        self._suspects = 0
        self._most_suspects = max(1, most // SUSPECTS)
        self._suspects_first = False
        self._waiting = {False: Rounds(), True: Rounds()}

    @property
    def used(self) -> int:
        return self._used

    @asynccontextmanager
    async def place(self, owner: str, endpoint: str, *, suspect: bool) -> AsyncIterator[None]:
        if self._waiting[suspect] or not self._free(suspect=suspect):
            await self._wait(owner, endpoint, suspect=suspect)
        else:
            self._take(suspect=suspect)
        try:
            yield
        finally:
            self._leave(suspect=suspect)

    async def _wait(self, owner: str, endpoint: str, *, suspect: bool) -> None:
        turn: Turn = asyncio.get_running_loop().create_future()
        self._waiting[suspect].add(owner, endpoint, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(suspect=suspect)
            else:
                with contextlib.suppress(KeyError, ValueError):  # unless its turn was passed over meanwhile
                    self._waiting[suspect].remove(owner, endpoint, turn)
            raise

    def _free(self, *, suspect: bool) -> bool:
        return self._used < self.most and not (suspect and self._suspects >= self._most_suspects)

    def _take(self, *, suspect: bool) -> None:
        self._used += 1
        self._suspects += suspect

    def _leave(self, *, suspect: bool) -> None:
        self._used -= 1
        self._suspects -= suspect
        self._suspects_first = not self._suspects_first
        for kind in (self._suspects_first, not self._suspects_first):
            while self._waiting[kind] and self._free(suspect=kind):
                turn = self._waiting[kind].next()
                if not turn.cancelled():
                    self._take(suspect=kind)
                    turn.set_result(None)
