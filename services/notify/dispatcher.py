"""Who sends for whom: endpoints lie in 8 leased shards; this process keeps the lanes of those it leads."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from services.notify.attempts import Attempts, Office
from services.notify.breaker import Health
from services.notify.delivery import LaneState, Waiting
from services.notify.directory import Directory
from services.notify.endpoint import Endpoint, Endpoints
from services.notify.lanes import Lane
from services.notify.listing import Listing
from services.notify.ordered import OrderedStore
from services.notify.store import LANES, NotifyStore
from services.notify.upkeep import Upkeep
from shared.bus.outbox import SHARDS, shard_of
from shared.store.leases import Leases
from shared.store.mongo import Store, StoreError

log = structlog.get_logger(__name__)

_POLL_S: Final = 1.0
_REOPEN_S: Final = 0.5
_DRAIN_S: Final = 1.5
_LEAST_AT_HAND: Final = 8
_MOST_AT_HAND: Final = 256
_ALL_AT_HAND: Final = 4_096
_HEARD: Final = ("sequence", "keyed", "rung")
_CHANGES: Final[tuple[Mapping[str, Any], ...]] = (
    {"$match": {"operationType": {"$in": ["insert", "update"]}}},
    {"$project": {"documentKey": 1, **{f"updateDescription.updatedFields.{name}": 1 for name in _HEARD}}},
)


class Dispatcher:
    """Wakes lanes as soon as the planner of any replica has numbered something for them.

    Once a second, and whenever an endpoint or a lease changes, it looks: opens the lanes of shards won, closes
    those of shards lost, wakes what was missed, and drops what waits for endpoints that receive nothing any
    more. A killed replica's shards come over when its leases end (3 s).
    """

    name = "lanes"

    def __init__(self, store: Store, notify: NotifyStore, endpoints: Endpoints, office: Office, holder: str) -> None:
        self._notify = notify
        self._ordered = OrderedStore(store)
        self._directory, self._listing = Directory(notify, endpoints), Listing()
        self._office = office
        self._store = store
        self._now = asyncio.Event()
        self._leases = Leases(store, [f"lanes-{n}" for n in range(SHARDS)], holder, on_change=self._now.set)
        self._lanes: dict[str, Lane] = {}
        self._attempts: dict[str, Attempts] = {}
        self._rung: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._upkeep = Upkeep(notify, office.share, self._lanes, self._attempts, lambda: self._endpoints.values())
        self._read_at = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self._looking: asyncio.Task[None] | None = None
        self._prepared = False

    def look_again(self) -> None:
        """Says that an endpoint was changed, so that the next look, which is now, reads them all."""
        self._read_at = 0.0
        self._now.set()

    def planned(self, deliveries: Sequence[Waiting]) -> None:
        """What this process has planned and committed, numbered in order per endpoint: straight to the lanes."""
        by_endpoint: dict[str, list[Waiting]] = {}
        for one in deliveries:
            by_endpoint.setdefault(one.endpoint_id, []).append(one)
        for identity, some in by_endpoint.items():
            lane, endpoint = self._lanes.get(identity), self._endpoints.get(identity)
            if lane is not None:
                lane.offer(some)
            elif endpoint is None or endpoint.state == "active":
                self._now.set()

    def report(self) -> dict[str, Any]:
        """For /health/stream."""
        return {"leads": sorted(self._leases.held()), "lanes": len(self._lanes)}

    def leads(self, shard: int) -> bool:
        """Whether this process works for the endpoints of a shard right now."""
        return f"lanes-{shard}" in self._leases.held()

    def wake(self, endpoint_id: str) -> None:
        """Says that deliveries of an endpoint were changed, where its lane is this process's."""
        lane = self._lanes.get(endpoint_id)
        if lane is not None:
            lane.wake()

    async def start(self) -> None:
        kept_up = (self._upkeep.clean(), self._upkeep.measure(), self._upkeep.warn())
        for coroutine in (self._leases.run(), self._hear(), *kept_up):
            self._tasks.append(asyncio.create_task(coroutine, name=self.name))
        self._looking = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Lets the requests in flight end, writes down what became of them, then gives the shards back."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(lane.close(_DRAIN_S) for lane in self._lanes.values()))
        await self._office.results.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except Exception as error:
                # Also what nobody foresaw: a process that holds shards must not stop looking after them.
                log.warning("dispatcher_waits", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_S):
                    await self._now.wait()
            self._now.clear()

    async def _hear(self) -> None:
        """Wakes the lanes for which another replica's planner has numbered something; what gets lost, a look finds.

        Who leads every shard is alone: a stream would cost the database a look at every write, to hear of its own.
        """
        while True:
            try:
                if not self._alone():
                    await self._listen()
            except StoreError as error:
                log.info("hears_anew", error=type(error).__name__)
            await asyncio.sleep(_REOPEN_S)

    async def _listen(self) -> None:
        async with self._store.watch(LANES, _CHANGES) as stream:
            await stream.try_next()
            self._now.set()
            while not self._alone():
                change = await stream.try_next()
                if change is not None:
                    self._heard(change)

    def _alone(self) -> bool:
        return len(self._leases.held()) == SHARDS

    def _heard(self, change: Mapping[str, Any]) -> None:
        identity = change["documentKey"]["_id"]
        lane = self._lanes.get(identity)
        if lane is None:
            self._now.set()
            return
        fields = change.get("updateDescription", {}).get("updatedFields", {})
        lane.keyed |= "keyed" in fields
        if "rung" in fields:
            self._rung[identity] = int(fields["rung"])
            lane.look_afresh()
        if "sequence" in fields:
            lane.hear(int(fields["sequence"]))

    async def _look(self) -> None:
        if not self._prepared:
            await self._notify.prepare()
            await self._ordered.prepare()
            self._prepared = True
        led = self._led()
        await self._read_endpoints()
        states = await self._notify.lanes(led) if led else []
        for state in states:
            if state.endpoint_id not in self._endpoints and state.endpoint_id not in self._dropped:
                self._read_at = 0.0
                await self._read_endpoints()
                break
        await self._close_others({state.endpoint_id for state in states})
        for state in states:
            await self._attend(state)

    async def _read_endpoints(self) -> None:
        if time.monotonic() - self._read_at < _POLL_S:
            return
        listing = await self._directory.read()
        if listing is not self._listing:
            self._listing, self._endpoints = listing, {one.id: one for one in listing.endpoints}
        self._read_at = time.monotonic()

    async def _attend(self, state: LaneState) -> None:
        identity = state.endpoint_id
        endpoint = self._endpoints.get(identity)
        if endpoint is None or endpoint.state == "disabled":
            if self._dropped.get(identity) != state.sequence:
                await self._notify.drop(identity)
                self._dropped[identity] = state.sequence
            return
        self._dropped.pop(identity, None)
        if endpoint.state != "active":
            if state.health != Health():
                await self._notify.forget_failures(identity)
            return
        lane = self._lanes.get(identity)
        if lane is None:
            self._open(state)
            return
        lane.keyed |= state.keyed
        if self._attempts[identity].serves is not endpoint:
            self._attempts[identity].serves = endpoint
            lane.wake()
        if self._rung[identity] != state.rung:
            self._rung[identity] = state.rung
            lane.look_afresh()
        lane.hear(state.sequence)

    def _open(self, state: LaneState) -> None:
        identity = state.endpoint_id
        attempts = Attempts(self._office, self._endpoints[identity], self._sendable(identity), state.health)
        self._attempts[identity] = attempts
        self._rung[identity] = state.rung
        lane = Lane(identity, self._notify, self._ordered, attempts, self._room, keyed=state.keyed)
        self._lanes[identity] = lane
        lane.hear(state.sequence)
        lane.open()

    def _room(self) -> int:
        """How many deliveries each lane may hold in memory, so that all of them together stay within bounds."""
        return max(_LEAST_AT_HAND, min(_MOST_AT_HAND, _ALL_AT_HAND // max(1, len(self._lanes))))

    def _sendable(self, identity: str) -> Callable[[], Endpoint | None]:
        """The endpoint while it is active and its shard is led here; asked before every attempt."""

        lease = f"lanes-{shard_of(identity)}"

        def endpoint() -> Endpoint | None:
            found = self._endpoints.get(identity)
            if found is None or found.state != "active" or not self._leases.holds(lease):
                return None
            return found

        return endpoint

    async def _close_others(self, led: set[str]) -> None:
        def stays(identity: str) -> bool:
            endpoint = self._endpoints.get(identity)
            return identity in led and endpoint is not None and endpoint.state == "active"

        closing = [self._lanes.pop(identity) for identity in list(self._lanes) if not stays(identity)]
        await asyncio.gather(*(lane.close() for lane in closing))
        for lane in closing:
            del self._attempts[lane.endpoint_id]

    def _led(self) -> list[int]:
        return sorted(int(name.rsplit("-", 1)[1]) for name in self._leases.held())
