"""The import of members from CSV: one line, one command, one result; a repeat with the same key adds nobody twice."""

import asyncio
import csv
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.membership.domain import Join
from services.membership.requests import Joining
from services.membership.store import Members, new_id
from shared.bus.command import IdempotencyKey, Refused, of_row
from shared.web.auth import Caller
from shared.web.problems import Problem
from shared.web.times import HISTORY, Times

MOST_ROWS = 50_000
_SLICE = 400
COLUMNS = tuple(Joining.model_fields)
_HISTORY_COLUMNS = ("occurred_at", "recorded_at", "joined_precision")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the file: where it begins, and its cells by column (empty cells are left out)."""

    line: int
    cells: dict[str, str]
    fault: str = ""


class Importer:
    """Imports files of members."""

    def __init__(self, members: Members, times: Times) -> None:
        self._members = members
        self._times = times

    async def run(self, text: str, caller: Caller, key: IdempotencyKey | None) -> dict[str, Any]:
        """Imports the file and says what became of each row; other commands find their turn in between.

        Raises Problem (413, 422) when the file as a whole cannot be read, 403 when a row needs history:write, and the
        refusal when `key` was used for another request.
        """
        rows = read(text)
        if any(name in row.cells for row in rows for name in _HISTORY_COLUMNS):
            caller.demand(HISTORY)
        if key is not None:
            await self._members.begin_import(key, len(rows))
        results: list[dict[str, Any]] = []
        for start in range(0, len(rows), _SLICE):
            part = rows[start : start + _SLICE]
            results += await asyncio.gather(*(self._row(row, caller, key) for row in part))
        imported = sum(result["status"] == "created" for result in results)
        return {"imported": imported, "refused": len(results) - imported, "rows": results}

    async def _row(self, row: Row, caller: Caller, key: IdempotencyKey | None) -> dict[str, Any]:
        try:
            said = _joining(row)
            when = self._times.when(caller, said.occurred_at, said.recorded_at)
            row_key = of_row(key, row.line) if key else None
            join = Join(_id_of(row_key), said, when)
            outcome = await self._members.join(join, row_key, repeatable=row_key is not None)
        except Refused as refusal:
            return {"line": row.line, "status": "refused", "id": None, "detail": refusal.detail}
        return {"line": row.line, "status": "created", "id": outcome.resource_id, "detail": None}


def read(text: str) -> list[Row]:
    """The rows of a CSV file with a header line; a BOM and empty lines are passed over.

    Raises Problem: 422 for a missing header, an unknown or doubled column or broken quotes; 413 above 50,000 rows.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = _header(next(reader, []))
        rows: list[Row] = []
        begins = reader.line_num + 1
        for cells in reader:
            if cells:
                rows.append(_row(begins, header, cells))
            if len(rows) > MOST_ROWS:
                raise Problem(413, "Too many rows", f"An import takes at most {MOST_ROWS} rows.", "too-many-rows")
            begins = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(reader.line_num, str(error)) from None
    return rows


def _header(cells: Sequence[str]) -> Sequence[str]:
    names = [cell.strip() for cell in cells]
    if not names:
        raise _unreadable(1, f"the header is missing; columns: {', '.join(COLUMNS)}")
    if any(name not in COLUMNS for name in names):
        raise _unreadable(1, f"a column is unknown; columns: {', '.join(COLUMNS)}")
    if len(set(names)) != len(names):
        raise _unreadable(1, "a column stands there twice")
    return names


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    if len(cells) != len(header):
        return Row(line, {}, f"{len(cells)} cells, {len(header)} columns")
    return Row(line, {name: cell for name, cell in zip(header, cells, strict=True) if cell})


def _joining(row: Row) -> Joining:
    """What the row says. One that is not dated comes from an old list: its day of joining is unknown."""
    if row.fault:
        raise Refused(422, "invalid-row", "Row is not valid", row.fault)
    undated = {} if "occurred_at" in row.cells else {"joined_precision": "unknown"}
    try:
        return Joining.model_validate_strings({**undated, **row.cells})
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        detail = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:3])
        raise Refused(422, "invalid-row", "Row is not valid", detail) from None


def _id_of(key: IdempotencyKey | None) -> str:
    """The row's member: the same id whenever the same import is repeated."""
    return str(uuid.uuid5(key.command_id, "member")) if key else new_id()


def _unreadable(line: int, why: str) -> Problem:
    return Problem(422, "The file cannot be read", f"Line {line}: {why}.", "unreadable-csv", line=line)
