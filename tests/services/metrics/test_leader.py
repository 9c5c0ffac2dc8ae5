"""Only the holder of the lease writes the board; a zombie's write is refused and changes nothing."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from services.metrics.domain.board import Board, Ledger, Row
from services.metrics.store.board import LEASE, Boards
from shared.store.leases import LeaseLost, Leases
from shared.store.mongo import Store


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
    async with asyncio.timeout(20):
        while LEASE not in leases.held():
            await leases.changed.wait()
            leases.changed.clear()
    return task


async def test_a_zombie_cannot_write(store: Store) -> None:
    zombie, heir = Leases(store, (LEASE,), "zombie"), Leases(store, (LEASE,), "heir")
    boards = Boards(store)
    lives = await _holding(zombie)
    first = await boards.write(Board(members=1), Board(), zombie)
    lives.cancel()
    await asyncio.gather(lives, return_exceptions=True)
    leads = await _holding(heir)
    with pytest.raises(LeaseLost):
        await boards.write(Board(members=666), first, zombie)
    second = await boards.write(Board(members=2), first, heir)
    assert (first.revision, second.revision) == (1, 2)
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
