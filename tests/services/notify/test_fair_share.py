"""Places go round robin over owners, then endpoints; what fails never holds what the others need."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from services.notify.fair_share import FairShare


@asynccontextmanager
async def crowd(share: FairShare, *who: tuple[str, str, bool]) -> AsyncIterator[tuple[list[str], list[asyncio.Event]]]:
    """Everybody wants a place, in this order: who got one, in order, and how to make each of those leave it."""
    got: list[str] = []
    leave: list[asyncio.Event] = []

    async def want(owner: str, endpoint: str, suspect: bool) -> None:
        async with share.place(owner, endpoint, suspect=suspect):
            got.append(endpoint)
            leave.append(left := asyncio.Event())
            await left.wait()

    tasks = [asyncio.create_task(want(*one)) for one in who]
    await settled()
    try:
        yield got, leave
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert share.used == 0


async def settled() -> None:
    """All tasks that can run have run: none of them waits for anything but an event of this test."""
    for _ in range(20):
        await asyncio.sleep(0)


async def drained(leave: Iterable[asyncio.Event]) -> None:
    for one in leave:
        one.set()
        await settled()


async def test_an_owner_with_a_thousand_endpoints_does_not_keep_another_one_waiting() -> None:
    many = [("big", f"big-{n}", False) for n in range(1000)]
    async with crowd(FairShare(4), *many, ("small", "small-1", False), ("small", "small-2", False)) as (got, leave):
        assert got == ["big-0", "big-1", "big-2", "big-3"]
        await drained(leave[:4])
        assert got[4:] == ["big-4", "small-1", "big-5", "small-2"]


async def test_an_endpoint_with_much_to_send_does_not_keep_its_owners_others_waiting() -> None:
    async with crowd(FairShare(4), *[("a", "busy", False)] * 50, ("a", "quiet", False)) as (got, leave):
        await drained(leave[:4])
        assert got[4:] == ["busy", "quiet", "busy", "busy"]


async def test_receivers_that_hang_hold_a_quarter_of_the_places_however_many_they_are() -> None:
    share = FairShare(16)
    hung = [("a", f"hung-{n}", True) for n in range(100)]
    async with crowd(share, *hung, *[("a", "well", False)] * 20) as (got, leave):
        assert got.count("well") == 12
        assert len(got) == 16
        await drained([one for one, name in zip(leave, got, strict=True) if name == "well"])
        assert got.count("well") == 20


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.booleans()), max_size=40), st.data())
def test_whoever_leaves_or_gives_up_no_place_is_lost(who: list[tuple[str, str, bool]], data: st.DataObject) -> None:
    async def course() -> None:
        share = FairShare(4)
        tasks: list[asyncio.Task[None]] = []

        async def want(owner: str, endpoint: str, suspect: bool) -> None:
            async with share.place(owner, endpoint, suspect=suspect):
                await asyncio.sleep(0)
                assert 1 <= share.used <= 4

        for one in who:
            tasks.append(asyncio.create_task(want(*one)))
            if data.draw(st.booleans()):
                await asyncio.sleep(0)
            if data.draw(st.integers(0, 3)) == 0:
                data.draw(st.sampled_from(tasks)).cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
        assert share.used == 0

    asyncio.run(course())
