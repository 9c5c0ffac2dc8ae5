"""What notify hears: every event becomes a delivery for each endpoint that wants it, in the batch's own transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from services.notify.delivery import Waiting
from services.notify.directory import Directory
from services.notify.domain import OFFERED, TOPICS
from services.notify.endpoint import Endpoints
from services.notify.erasures import forgetting
from services.notify.planning import Planned, plan, unique
from services.notify.publications import Publications
from services.notify.store import NotifyStore, Seen
from shared.bus.batch import Received, Subscription
from shared.bus.generations import Tx
from shared.catalogue import MemberErased, people_of
from shared.clock import wall_ms
from shared.store.mongo import Direct

GROUP: Final = "notify"
_YIELD_EVERY: Final = 50
_MOST_AT_ONCE: Final = 2_000

OnPlanned = Callable[[Sequence[Waiting]], None]


class Planner:
    """Plans, and sends nothing: what is planned is committed before any lane can see it."""

    def __init__(
        self,
        store: NotifyStore,
        endpoints: Endpoints,
        publications: Publications,
        on_planned: OnPlanned = lambda _: None,
    ) -> None:
        """`on_planned` is told what was committed, so that a lane in this process need not read it."""
        self._store = store
        self._directory = Directory(store, endpoints)
        self._publications = publications
        self._on_planned = on_planned

    async def at_once(self) -> int:
        """So many events that their deliveries fit into a transaction, which the database gives 5 s."""
        listing = self._directory.listing or await self._directory.read()
        return max(1, _MOST_AT_ONCE // max(1, listing.most_hearing))

    def look(self, batch: Sequence[Received], direct: Direct) -> Seen:
        """Which endpoints there are, and who of those the events tell of was erased."""
        return self._store.seen({person for one in batch for person in people_of(one.event)}, direct)

    async def apply(self, batch: Sequence[Received], tx: Tx) -> None:
        """Endpoints are read in the transaction: one created before an event was recorded is there to hear it."""
        events = [received.event for received in batch]
        listing = await self._directory.of(tx.looked.mark, tx.session)
        await self._publications.feed(events, tx.session)
        titles = await self._publications.titles(events, tx.session) if listing.has_chats else {}
        erased = [event.envelope.subject for event in events if isinstance(event.data, MemberErased)]
        if erased:
            await self._store.erasures.note(erased, tx.session)
        planned: list[Planned] = []
        for n, received in enumerate(batch):
            planned += plan(received.event, received.timestamp_ms, listing, titles)
            if n % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
        if planned:
            self._write(forgetting(unique(planned), tx.looked.erased.union(erased)), tx)

    def _write(self, planned: Sequence[Planned], tx: Tx) -> None:
        now_ms = wall_ms()
        waiting: list[Waiting] = []
        tx.last.append(lambda direct: waiting.extend(self._store.plan(planned, now_ms, direct)))
        tx.after.append(lambda: self._on_planned(waiting))


def subscription(planner: Planner) -> Subscription:
    """The group `notify`: from the beginning, since an endpoint hears nothing that is older than itself anyway."""
    return Subscription(
        group=GROUP,
        topics=TOPICS,
        wanted=frozenset(OFFERED),
        apply=planner.apply,
        apart_s=0.0,
        at_once=planner.at_once,
        look=planner.look,
    )
