"""How many endpoints an owner may have: each holds one of the owner's numbered places.

A place is a claim of the command that makes the endpoint, so two creations at once, on whichever replicas, cannot both
have the last one.
"""

import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.notify.store import NotifyStore


class Quota:
    """`most` endpoints for each owner."""

    def __init__(self, store: NotifyStore, most: int) -> None:
        self._store = store
        self._most = most
        self._in_use: set[str] = set()

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[str | None]:
        """A free place of the owner, which nobody else in this process gets meanwhile; None when there is none."""
        taken = await self._store.places(owner)
        own = hashlib.sha256(owner.encode()).hexdigest()[:32]
        away = self._in_use.union(taken)
        free = [one for one in (f"endpoint {own} {n}" for n in range(self._most)) if one not in away]
        # Endpoints from before there were places count too. Any of the free: replicas then seldom choose the same.
        place = random.choice(free) if len(taken) < self._most and free else None
        if place is None:
            yield None
            return
        self._in_use.add(place)
        try:
            yield place
        finally:
            self._in_use.discard(place)
