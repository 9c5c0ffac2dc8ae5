"""The board as it is stored: ledger rows, each with its last change's revision, one document with the newest, and the
ledgers of entrances."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any

from services.metrics.domain.board import Board, DayBar, Ledger, Row
from shared.store.leases import Leases
from shared.store.mongo import Document, ReplaceOne, Session, Store

LEASE = "evaluate"
STATE = "board"
_ROWS, _STREAMS = "ledger", "streams"
_STATE_ID, _DAYS_ID = "board", "days"
Also = Callable[[int, Session], Awaitable[None]]
"""What belongs into the same transaction; gets its revision."""


async def _nothing(revision: int, session: Session) -> None:
    """No more than the board."""


class Boards:
    """Writes and reads the board; all reads of one call see one revision."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def write(
        self,
        board: Board,
        before: Board,
        leases: Leases,
        *,
        entrances: Iterable[Ledger] = (),
        gone: Iterable[str] = (),
        also: Also = _nothing,
    ) -> Board:
        """Stores `board` as the revision after the stored one, if this process still leads.

        Rows that did not change since `before` (what this leader last wrote or read) are not rewritten. `entrances` are
        ledgers of other streams that changed, `gone` those that are no more. Raises LeaseLost.
        """
        ledgers = list(entrances)

        async def work(session: Session) -> int:
            await leases.verify(LEASE, session)
            state = await self._state.find_one({"_id": _STATE_ID}, session=session)
            revision = (state["revision"] if state else 0) + 1
            await self._write_rows(board, before, revision, session)
            if board.days != before.days:
                await self._state.replace_one({"_id": _DAYS_ID}, _days_document(board), upsert=True, session=session)
            head = {**board.model_dump(exclude={"days": True, "ledger": {"publications"}}), "revision": revision}
            await self._state.replace_one({"_id": _STATE_ID}, head, upsert=True, session=session)
            for ledger in ledgers:
                content = {"ledger": ledger.model_dump(), "revision": revision}
                await self._streams.replace_one({"_id": ledger.stream}, content, upsert=True, session=session)
            await self._streams.delete_many({"_id": {"$in": list(gone)}}, session=session)
            await also(revision, session)
            return revision

        return board.model_copy(update={"revision": await self._store.transaction(work)})

    async def read(self) -> Board:
        """The whole board; an empty one before the first evaluation."""
        while True:
            state = {row["_id"]: row async for row in self._state.find()}
            if _STATE_ID not in state:
                return Board()
            rows = [_row(row) async for row in self._rows.find({"gone": False})]
            # Whatever is written raises the revision in the same transaction: if it stayed, all that was read is its.
            if await self.revision() == state[_STATE_ID]["revision"]:
                break
        head = {name: value for name, value in state[_STATE_ID].items() if name in Board.model_fields}
        in_order = sorted(rows, key=lambda row: (row.published_at, row.id))
        return Board(
            **{**head, "ledger": {**head.get("ledger", {}), "publications": in_order}},
            days=tuple(_day(day) for day in state.get(_DAYS_ID, {}).get("days", ())),
        )

    async def revision(self) -> int:
        """The newest revision; 0 before the first."""
        head = await self._state.find_one({"_id": _STATE_ID}, {"revision": 1})
        return head["revision"] if head else 0

    async def entrance(self, stream: str) -> tuple[int, Ledger] | None:
        """The newest ledger of another stream and the revision that it came with; None when there is none."""
        row = await self._streams.find_one({"_id": stream})
        return (row["revision"], Ledger(**row["ledger"])) if row else None

    async def entrances(self) -> list[Ledger]:
        """The ledgers of all other streams, in order of their names."""
        return [Ledger(**row["ledger"]) async for row in self._streams.find().sort("_id", 1)]

    @property
    def _streams(self) -> Any:
        return self._store.collection(_STREAMS)

    @property
    def _state(self) -> Any:
        return self._store.collection(STATE)

    @property
    def _rows(self) -> Any:
        return self._store.collection(_ROWS)

    async def _write_rows(self, board: Board, before: Board, revision: int, session: Session) -> None:
        writes = list(_row_writes(board.publications, before.publications, revision))
        if writes:
            await self._rows.bulk_write(writes, ordered=False, session=session)


def _row_writes(rows: Iterable[Row], before: Iterable[Row], revision: int) -> Iterable[Any]:
    old = {row.id: row for row in before}
    for row in rows:
        if old.pop(row.id, None) != row:
            content = {**row.model_dump(exclude={"id"}), "gone": False, "revision": revision}
            yield ReplaceOne({"_id": row.id}, content, upsert=True)
    for gone in old:
        yield ReplaceOne({"_id": gone}, {"gone": True, "revision": revision}, upsert=True)


def _row(row: Document) -> Row:
    return Row(id=row["_id"], **{name: value for name, value in row.items() if name in Row.model_fields})


def _days_document(board: Board) -> Document:
    return {"days": [{**day.model_dump(), "day": _midnight(day.day)} for day in board.days]}


def _day(day: Document) -> DayBar:
    return DayBar(**{**day, "day": day["day"].date()})


def _midnight(day: date) -> datetime:
    """BSON has no dates; a day stands as its UTC midnight, whatever zone it is a day of."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
