"""What a transaction does last is done with its commit, or not at all."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator

import pytest

from shared.store.mongo import Direct, Session, Store, TryAgain


@pytest.fixture
async def store(mongo_uri: str) -> AsyncIterator[Store]:
    store = Store(mongo_uri, f"transactions_{uuid.uuid4().hex[:12]}")
    yield store
    await store.client.drop_database(store.name)
    await store.close()


async def _first(store: Store, session: Session) -> None:
    await store.collection("things").insert_one({"_id": "first"}, session=session)


def _second(direct: Direct) -> None:
    direct.collection("things").insert_one({"_id": "second"}, session=direct.session)


async def _there(store: Store) -> set[str]:
    return {one["_id"] async for one in store.collection("things").find()}


async def test_the_last_step_is_committed_with_the_rest(store: Store) -> None:
    await store.transaction(lambda session: _first(store, session), last=_second)
    assert await _there(store) == {"first", "second"}


async def test_a_last_step_that_fails_leaves_nothing(store: Store) -> None:
    def fails(direct: Direct) -> None:
        _second(direct)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.transaction(lambda session: _first(store, session), last=fails)
    assert await _there(store) == set()


async def test_a_last_step_can_make_it_begin_anew(store: Store) -> None:
    tries: list[int] = []

    def once_more(direct: Direct) -> None:
        _second(direct)
        tries.append(len(tries))
        if len(tries) == 1:
            raise TryAgain("once more")

    await store.transaction(lambda session: _first(store, session), last=once_more)
    assert tries == [0, 1]
    assert await _there(store) == {"first", "second"}


async def test_a_session_is_used_again_after_a_transaction_and_not_after_a_failure(store: Store) -> None:
    used: list[object] = []

    async def look(session: Session) -> None:
        used.append(session.session_id)
        await store.collection("things").find_one({}, session=session)

    async def fail(session: Session) -> None:
        await look(session)
        raise LookupError("no")

    await store.transaction(look)
    await store.transaction(look)
    with pytest.raises(LookupError):
        await store.transaction(fail)
    await store.transaction(look)
    assert used[0] == used[1] == used[2]
    assert await _there(store) == set()


async def test_who_is_cancelled_waits_for_the_step_that_runs_and_nothing_of_it_is_left(store: Store) -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    ended: list[str] = []

    def two_writes(direct: Direct) -> None:
        direct.collection("things").insert_one({"_id": "third"}, session=direct.session)
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(60)
        direct.collection("things").insert_one({"_id": "fourth"}, session=direct.session)
        ended.append("both")

    asked = asyncio.create_task(store.transaction(lambda session: store.together(session, two_writes)))
    await begun.wait()
    for _ in range(3):
        asked.cancel()
        await asyncio.wait([asked], timeout=0.1)
    assert not asked.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert ended == ["both"]
    assert await _there(store) == set()
