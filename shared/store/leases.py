"""Leases on named pieces of work: one holder each, on the database's clock, fenced, fairly shared."""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Callable, Iterable

import structlog

from shared.store.mongo import Document, Session, Store, StoreError, is_duplicate

log = structlog.get_logger(__name__)

_COLLECTION = "leases"


class LeaseLost(Exception):
    """Another holder has the lease now: stop that work, what was written since is fenced off."""


class Leases:
    """Holds a fair share of `names` for this process, the present incarnation of `instance`, as long as `run()` runs.

    A lease ends `ttl_s` seconds after its last renewal on the server's clock (`$$NOW`); it is renewed at a third of
    that and counts as lost locally at two thirds, so the holder stops before another can start. Each change of
    holder raises the lease's `fence` by one. A new incarnation of an instance takes over from the dead one at once.
    """

    def __init__(
        self,
        store: Store,
        names: Iterable[str],
        instance: str,
        ttl_s: float = 3.0,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._names = tuple(names)
        self._kind = self._names[0].rsplit("-", 1)[0]
        self._instance = instance
        self.holder = f"{instance}#{uuid.uuid4().hex[:12]}"
        self._ttl_s = ttl_s
        self._until: dict[str, float] = {}
        self._fences: dict[str, int] = {}
        self._on_change = on_change
        self._created = False
        self.changed = asyncio.Event()

    def held(self) -> frozenset[str]:
        """The names that this process may work on right now."""
        now = time.monotonic()
        return frozenset(name for name, until in self._until.items() if until > now)

    def holds(self, name: str) -> bool:
        """Whether `name` is among `held()`."""
        return self._until.get(name, 0.0) > time.monotonic()

    def fence(self, name: str) -> int:
        """The fence of a held lease; LeaseLost when it is not held."""
        if not self.holds(name):
            raise LeaseLost(name)
        return self._fences[name]

    async def verify(self, name: str, session: Session) -> None:
        """Inside a transaction: LeaseLost unless the stored lease still has this holder and fence.

        The lease is written, so a takeover at the same moment conflicts and only one of the two commits.
        """
        found = await self._store.collection(_COLLECTION).update_one(
            {"_id": name, "holder": self.holder, "fence": self._fences.get(name, -1)},
            {"$inc": {"writes": 1}},
            session=session,
        )
        if not found.matched_count:
            self._until.pop(name, None)
            raise LeaseLost(name)

    async def run(self) -> None:
        """Renews and acquires until cancelled, then gives everything back."""
        try:
            while True:
                before = self.held()
                try:
                    await self._round()
                except StoreError as error:
                    log.warning("leases_unreachable", holder=self.holder, error=type(error).__name__)
                if self.held() != before:
                    self.changed.set()
                    if self._on_change:
                        self._on_change()
                await asyncio.sleep(self._ttl_s / 3)
        finally:
            with contextlib.suppress(StoreError, asyncio.CancelledError):
                await asyncio.shield(self._give_back(self._names))

    async def _round(self) -> None:
        started = time.monotonic()
        await self._create()
        await self._beat()
        await self._renew(started)
        share = await self._fair_share()
        surplus = sorted(self.held())[share:]
        if surplus:
            await self._give_back(surplus)
        for name in self._names:
            if len(self.held()) >= share:
                break
            if name not in self._until:
                await self._take(name, started, renew=False)

    async def _renew(self, started: float) -> None:
        """All in one statement: one after the other, on a busy database, could last longer than they may."""
        names = list(self._until)
        if not names:
            return
        renewed = await self._store.collection(_COLLECTION).update_many(
            {"_id": {"$in": names}, "holder": self.holder}, [{"$set": {"until": self._in_ms(self._ttl_s)}}]
        )
        if renewed.matched_count == len(names):
            self._until |= dict.fromkeys(self._until.keys() & names, started + self._ttl_s * 2 / 3)
            return
        for name in names:
            await self._take(name, started, renew=True)

    async def _create(self) -> None:
        if self._created:
            return
        for name in self._names:
            try:
                await self._store.collection(_COLLECTION).update_one(
                    {"_id": name}, {"$setOnInsert": {"fence": 0}}, upsert=True
                )
            except StoreError as error:
                if not is_duplicate(error):
                    raise
        self._created = True

    async def _beat(self) -> None:
        await self._store.collection(_COLLECTION).update_one(
            {"_id": f"{self._kind}@{self._instance}"},
            [{"$set": {"kind": self._kind, "alive_until": self._in_ms(self._ttl_s)}}],
            upsert=True,
        )

    async def _fair_share(self) -> int:
        living = await self._store.collection(_COLLECTION).count_documents(
            {"kind": self._kind, "$expr": {"$gt": ["$alive_until", "$$NOW"]}}
        )
        return math.ceil(len(self._names) / max(int(living), 1))

    async def _take(self, name: str, started: float, *, renew: bool) -> None:
        mine: Document = {"$eq": ["$holder", self.holder]}
        namesake: Document = {"$eq": [{"$first": {"$split": [{"$ifNull": ["$holder", ""]}, "#"]}}, self._instance]}
        free: Document = {"$or": [namesake, {"$not": ["$until"]}, {"$lt": ["$until", "$$NOW"]}]}
        fence: Document = {"$cond": [mine, "$fence", {"$add": ["$fence", 1]}]}
        lease = await self._store.collection(_COLLECTION).find_one_and_update(
            {"_id": name, "$expr": mine if renew else free},
            [{"$set": {"fence": fence, "holder": self.holder, "until": self._in_ms(self._ttl_s)}}],
            return_document=True,
        )
        if lease is None:
            self._until.pop(name, None)
            return
        self._fences[name] = int(lease["fence"])
        self._until[name] = started + self._ttl_s * 2 / 3

    async def _give_back(self, names: Iterable[str]) -> None:
        names = [name for name in names if self._until.pop(name, None) is not None]
        await self._store.collection(_COLLECTION).update_many(
            {"_id": {"$in": names}, "holder": self.holder}, {"$unset": {"holder": "", "until": ""}}
        )
        if not self._until:
            await self._store.collection(_COLLECTION).delete_one({"_id": f"{self._kind}@{self._instance}"})

    @staticmethod
    def _in_ms(seconds: float) -> Document:
        return {"$add": ["$$NOW", int(seconds * 1000)]}
