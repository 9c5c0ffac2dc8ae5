"""Joins and members over HTTP, and the publication ledger with its stream as they were before there were streams."""

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import AwareDatetime, BaseModel, Field

from services.metrics.domain.board import Board, Row
from services.metrics.figures import ROWS_MOST, Figures, TooManyRows
from services.metrics.live import LiveBoard
from services.metrics.store.board import Boards
from services.metrics.times import AskedTime, when
from shared.web.auth import Caller, require
from shared.web.problems import Problem, problems
from shared.web.routes import json_response, router
from shared.web.sse import EventStream, Frame
from shared.web.times import utc_text

# A browser reconnects by itself and is asked anew who it is; what it missed comes by its last id.
STREAM_MOST_S = 1800.0


class JoinsRow(BaseModel):
    """Joins of one hour or day."""

    start: AwareDatetime = Field(alias="from", description="Where the hour (UTC) or the Asia/Tokyo day begins")
    joins: int = Field(description="Joins by the time of the event; days include joins known by the day alone")


class JoinsAnswer(BaseModel):
    """Joins by the time of the event, no hour or day left out."""

    as_of: AwareDatetime | None = Field(description="Up to when is known what follows; null in a stream not yet begun")
    rows: list[JoinsRow]


class MembersAnswer(BaseModel):
    """How many members there were."""

    as_of: AwareDatetime | None = Field(description="The end of the last hour that is counted, or now")
    members: int


class LedgerAnswer(BaseModel):
    """The publication ledger."""

    as_of: AwareDatetime | None = Field(description="The end of the last known hour; null before there is one")
    revision: int = Field(description="Rises with every change; the id of the events of /v1/stream")
    joins: int = Field(description="All joins known, the running hour included")
    publications: list[Row] = Field(description="One row per publication and per held session, oldest first")


def figures_routes(figures: Figures, boards: Boards, live: LiveBoard) -> APIRouter:
    """The routes; every one takes a bearer token or a browser's cookie with `growth:read`."""
    routes = router(tags=["growth"])
    reader = require("growth:read", cookie=True)

    @routes.get(
        "/v1/joins",
        summary="Joins by hour or by day",
        response_model=JoinsAnswer,
        responses=problems(409, 422),
        description="By the time of the event, from the first known join to now, hours and days without a join "
        "included. `from` is included, `to` is not. Joins known by the day alone are in days only. "
        f"One answer holds at most {ROWS_MOST:,} rows; where more are known, 409 asks for a shorter time.",
    )
    async def joins(
        by: Annotated[Literal["hour", "day"], Query(description="Hours (UTC) or Asia/Tokyo days")] = "day",
        start: Annotated[AskedTime, when("From this hour or day on", "from")] = None,
        end: Annotated[AskedTime, when("Up to this hour or day, not included", "to")] = None,
        caller: Caller = reader,
    ) -> Response:
        try:
            return json_response(await figures.joins(by, start, end))
        except TooManyRows as error:
            raise Problem(409, "Too many rows", str(error), "too-many-rows") from None

    @routes.get(
        "/v1/members",
        summary="How many members there are, or were",
        response_model=MembersAnswer,
        description="A day is counted to its end, a moment to the end of its hour; `as_of` in the answer says to when.",
    )
    async def members(
        as_of: Annotated[AskedTime, when("The moment or day asked for; now where left out")] = None,
        caller: Caller = reader,
    ) -> Response:
        return json_response(await figures.members(as_of))

    @routes.get(
        "/v1/publications",
        summary="The publication ledger",
        response_model=LedgerAnswer,
        description="Extra joins after each publication, with 90 % range and verdict. An unlisted event at the same "
        "time cannot be told apart. `GET /v1/stream` (server-sent events, the same scope) tells of every new revision; "
        "its `Last-Event-ID` is a revision and holds on every replica.",
    )
    async def publications(caller: Caller = reader) -> Response:
        return json_response(ledger_json(await boards.read()))

    @routes.get("/v1/stream", include_in_schema=False)
    async def stream(
        request: Request,
        last_event_id: Annotated[str, Header()] = "",
        after: Annotated[str, Query()] = "",
        caller: Caller = reader,
    ) -> Response:
        """Not in the OpenAPI document, which has no words for an answer without an end."""
        seen = _revision(last_event_id or after)
        if seen > await live.newest_revision():
            seen = 0  # of another database: what it has seen says nothing
        return EventStream(_frames(live, seen), request.app.state.stopping)

    return routes


async def _frames(live: LiveBoard, seen: int) -> AsyncIterator[Frame]:
    """A frame per revision newer than `seen`; a slow reader gets the newest alone. Ends after half an hour."""
    until = time.monotonic() + STREAM_MOST_S
    while (left := until - time.monotonic()) > 0:
        board = await live.newer(seen, left)
        if board is not None:
            seen = board.revision
            yield _frame(board)


def _frame(board: Board) -> Frame:
    head = {name: value for name, value in ledger_json(board).items() if name != "publications"}
    data = orjson.dumps(head | {"today_joins": board.today_joins, "members": board.members})
    return Frame(data.decode(), id=str(board.revision), event="ledger")


def ledger_json(board: Board) -> dict[str, Any]:
    """The ledger as the API gives it."""
    return {
        "as_of": utc_text(board.as_of),
        "revision": board.revision,
        "joins": board.joins,
        "publications": [row.model_dump(mode="json", by_alias=True) for row in board.publications],
    }


def _revision(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
