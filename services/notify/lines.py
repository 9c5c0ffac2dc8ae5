"""Whose turn it is where order counts: of each key one delivery in hand, the others in line behind it. Pure."""

from collections import deque
from collections.abc import Iterable
from typing import Final

from services.notify.delivery import Waiting

MOST_IN_LINE: Final = 16


class Lines:
    """What one lane knows of its keys. The truth is the database's: all that waits for a key, by sequence.

    A key is *in hand* while one of its deliveries is on its way or not yet written down; then up to 16 more stand in
    line in memory. It is *held* while its first delivery waits for a retry or was given up. What can neither go nor
    stand in line is to be shelved (stored as behind, out of the way of what is due): `to_shelve`. A key with shelved
    deliveries that is neither in hand nor held is to be called: `to_call`, to be answered by `called`.
    """

    def __init__(self) -> None:
        self._in_line: dict[str, deque[Waiting]] = {}
        self._held: dict[str, str] = {}
        self._behind: set[str] = set()
        self._touched: set[str] = set()
        self.to_shelve: dict[str, Waiting] = {}
        self.to_call: set[str] = set()

    def arrives(self, key: str, delivery: Waiting) -> bool:
        """A delivery that was never tried, in the order of its sequence; whether it goes at once."""
        line = self._in_line.get(key)
        if key in self._behind or key in self._held or (line is not None and len(line) >= MOST_IN_LINE):
            self._shelve(key, delivery)
            return False
        if line is not None:
            line.append(delivery)
            return False
        self._in_line[key] = deque()
        return True

    def returns(self, key: str, delivery: Waiting) -> bool:
        """A delivery whose time has come again; whether it goes: it does unless another is before it."""
        if key in self._in_line or key in self.to_call or self._held.get(key, delivery.id) != delivery.id:
            self._shelve(key, delivery)
            return False
        self._free(key)
        self._in_line[key] = deque()
        return True

    def ends(self, key: str) -> Waiting | None:
        """The one in hand has come to its end, durably; the next, if there is one at hand."""
        line = self._in_line[key]
        if line:
            return line.popleft()
        self._leave(key)
        return None

    def holds(self, key: str, delivery_id: str) -> list[Waiting]:
        """The one in hand failed: it holds its key. Who stood in line is to be shelved, and no longer in hand."""
        line = list(self._in_line.pop(key, ()))
        self._held[key] = delivery_id
        self._touched.add(key)
        for one in line:
            self._shelve(key, one)
        return line

    def gives_back(self, key: str) -> list[Waiting]:
        """Nothing came of the one in hand: it and who stood in line, who are no longer in hand, are to be called."""
        line = list(self._in_line.pop(key, ()))
        self._behind.add(key)
        self.to_call.add(key)
        return line

    def called(self, key: str, waiting: Iterable[Waiting], now_ms: int) -> deque[Waiting]:
        """`waiting` are the first of all that wait for a key, by sequence, at most `MOST_IN_LINE`.

        Answers who is in hand now, of whom the first goes. Nobody, if the first waits for its retry: it holds its key.
        """
        self.to_call.discard(key)
        line = deque(waiting)
        if key in self._in_line or key in self._held:
            return deque()
        if len(line) < MOST_IN_LINE:
            self._behind.discard(key)
        if line and line[0].next_at_ms > now_ms:
            self._held[key] = line[0].id
            self._behind.add(key)
            return deque()
        if line:
            self._in_line[key] = deque(line)
            self._in_line[key].popleft()
        return line

    def reading(self) -> None:
        """What is stored is about to be read: from now on, what changes here is newer than that."""
        self._touched.clear()

    def stored(self, held: dict[str, str], behind: Iterable[str]) -> None:
        """What was read: which key is held by which delivery, and which have shelved ones."""
        for key in [key for key in self._held if key not in held and key not in self._touched]:
            del self._held[key]
        for key, delivery_id in held.items():
            if key not in self._touched and key not in self._in_line:
                self._held[key] = delivery_id
        self._behind.update(behind)
        self.to_call |= self._behind - self._held.keys() - self._in_line.keys()

    def blocked(self) -> int:
        """How many keys are held."""
        return len(self._held)

    def _shelve(self, key: str, delivery: Waiting) -> None:
        self._behind.add(key)
        self.to_shelve[delivery.id] = delivery

    def _leave(self, key: str) -> None:
        del self._in_line[key]
        if key in self._behind:
            self.to_call.add(key)

    def _free(self, key: str) -> None:
        self._held.pop(key, None)
        self._touched.add(key)
