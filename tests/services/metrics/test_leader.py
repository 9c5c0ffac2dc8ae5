"""Only the holder of the lease writes the board; a zombie's write is refused and changes nothing."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.metrics.domain.board import Board, Ledger, Row
from services.metrics.domain.news import COMMUNITY, About, News, Told
from services.metrics.store.board import LEASE, Also, Boards
from services.metrics.store.told import Telling
from shared.catalogue import MilestoneReached
from shared.store.leases import LeaseLost, Leases
from shared.store.mongo import Session, Store, StoreError

AT = datetime(2022, 3, 31, 15, tzinfo=UTC)


@pytest.fixture
async def store(mongo_uri: str) -> AsyncIterator[Store]:
    store = Store(mongo_uri, f"metrics_{uuid.uuid4().hex[:12]}")
    yield store
    await store.client.drop_database(store.name)
    await store.close()


def _board(*rows: Row) -> Board:
    return Board(ledger=Ledger(publications=rows))


async def _holding(leases: Leases) -> "asyncio.Task[None]":
    task = asyncio.create_task(leases.run())
    async with asyncio.timeout(60):
        while LEASE not in leases.held():
            await leases.changed.wait()
            leases.changed.clear()
    return task


def _tells(store: Store) -> Also:
    about = About("all", COMMUNITY, "members:100")
    news = News(about, AT, MilestoneReached(measure="members", value=100, as_of=AT))
    telling = Telling(store, [news], Told(), AT)

    async def also(revision: int, session: Session) -> None:
        await telling.write(session)

    return also


async def test_a_zombie_cannot_write_nor_tell(store: Store) -> None:
    zombie, heir = Leases(store, (LEASE,), "zombie"), Leases(store, (LEASE,), "heir")
    boards = Boards(store)
    lives = await _holding(zombie)
    first = await boards.write(Board(members=1), Board(), zombie)
    lives.cancel()
    await asyncio.gather(lives, return_exceptions=True)
    leads = await _holding(heir)
    with pytest.raises(LeaseLost):
        await boards.write(Board(members=666), first, zombie, also=_tells(store))
    assert await store.collection("outbox").count_documents({}) == 0
    second = await boards.write(Board(members=2), first, heir)
    third = await boards.write(Board(members=2), second, heir, also=_tells(store))
    assert (first.revision, second.revision, third.revision) == (1, 2, 3)
    assert await store.collection("outbox").count_documents({}) == 1
    with pytest.raises(StoreError):  # told before: nothing of this write stands
        await boards.write(Board(members=9), third, heir, also=_tells(store))
    assert (await boards.read()).members == 2
    leads.cancel()
    await asyncio.gather(leads, return_exceptions=True)


async def test_only_changed_rows_are_written_and_gone_ones_vanish(store: Store) -> None:
    from tests.services.metrics.test_page import row

    leases, boards = Leases(store, (LEASE,), "leader"), Boards(store)
    leads = await _holding(leases)
    one = await boards.write(_board(row(id="a"), row(id="b"), row(id="c")), Board(), leases)
    two = await boards.write(_board(row(id="a"), row(id="b", observed=82)), one, leases)
    revisions = {doc["_id"]: doc["revision"] async for doc in store.collection("ledger").find()}
    assert revisions == {"a": 1, "b": 2, "c": 2}
    assert (await boards.read()).publications == two.publications
    leads.cancel()
    await asyncio.gather(leads, return_exceptions=True)
