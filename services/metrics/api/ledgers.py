"""The ledgers over HTTP: of all joins and of each entrance, their audit, and what was restated."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from services.metrics.domain.board import Audit, Ledger, Restated
from services.metrics.domain.counts import ALL
from services.metrics.store.board import Boards
from services.metrics.store.history import History
from shared.catalogue import Id
from shared.web.auth import Caller, require
from shared.web.problems import Problem, problems
from shared.web.routes import json_response, router
from shared.web.tables import CSV, Format, table
from shared.web.times import utc_text

STREAM = r"^(all|theme:[A-Za-z0-9_.\-]{1,128})$"
StreamName = Annotated[str, Query(alias="stream", pattern=STREAM, description="`all`, or `theme:ID`, an entrance")]
_ROW = (
    *("id", "kind", "published_at", "title_ja", "title_en", "series_id", "window_from", "window_to", "complete"),
    *("observed", "expected", "extra", "low", "high", "credit", "credit_low", "credit_high"),
    *("joint_with", "joint_credit", "joint_low", "joint_high", "log_evidence", "alarm_at", "verdict"),
)
_STREAMS = ("id", "joins", "as_of", "publications")
_AUDIT = ("stream", "as_of", "placebos", "alarms", "threshold")


class RevisedLedger(Ledger):
    """The ledger of one stream, with the revision that it came with."""

    revision: int = Field(description="Rises with every change of the board")


class StreamLine(BaseModel):
    """One stream of joins that has a ledger."""

    id: str = Field(description="`all`, or `theme:ID`")
    joins: int = Field(description="Joins known by the hour, up to as_of")
    as_of: AwareDatetime | None = Field(description="End of the last known hour; null before the first fact")
    publications: int = Field(description="Rows of its ledger")


class StreamsAnswer(BaseModel):
    """All streams that have a ledger, that of all joins first."""

    streams: list[StreamLine]


class AuditAnswer(Audit):
    """The placebo audit of one stream."""

    stream: str = Field(description="`all`, or `theme:ID`")
    as_of: AwareDatetime | None = Field(description="End of the last known hour; null before the first fact")


class HistoryAnswer(BaseModel):
    """What late facts changed in one row."""

    id: str = Field(description="The publication or session")
    restated: list[Restated] = Field(description="Oldest first; the last fifty")


def ledger_routes(boards: Boards, history: History) -> APIRouter:
    """The routes; every one takes a bearer token or a browser's cookie with `growth:read`."""
    routes = router(tags=["growth"])
    reader = require("growth:read", cookie=True)

    @routes.get(
        "/v1/ledger",
        summary="The ledger of a stream",
        response_model=RevisedLedger,
        responses={**CSV, **problems(404)},
        description="Every publication with its extra joins, its credit and its verdict; `credit` of all rows and "
        "`organic` add up to `joins`. With them spikes that no publication explains (publish what it was, with its "
        "true `occurred_at`, and the ledger restates), the placebo audit, and series. As CSV: the publications.",
    )
    async def ledger(stream: StreamName = ALL, format: Format = "json", caller: Caller = reader) -> Response:
        revision, found = await _found(boards, stream)
        if format == "csv":
            return table(_ROW, [_flat(row) for row in _json(found)["publications"]], "ledger")
        return json_response({**_json(found), "revision": revision})

    @routes.get(
        "/v1/ledger/{publication_id}/history",
        summary="What late facts changed in a row",
        response_model=HistoryAnswer,
        responses=problems(404),
        description="Both figures are as of the same hour, so that nothing differs but what was heard late. Of the "
        "ledger of all joins.",
    )
    async def restatements(
        publication_id: Annotated[Id, Path(description="The publication or session")], caller: Caller = reader
    ) -> Response:
        entries = await history.of(publication_id)
        if not entries and publication_id not in {row.id for row in (await boards.read()).publications}:
            raise Problem(404, "No such publication", "The ledger has no row with this id.", "publication-not-found")
        return json_response(
            {"id": publication_id, "restated": [one.model_dump(mode="json", by_alias=True) for one in entries]}
        )

    @routes.get(
        "/v1/streams",
        summary="The streams that have a ledger",
        response_model=StreamsAnswer,
        responses=CSV,
        description="All joins, and the joins of each entrance (theme) in which something was published: the smaller "
        "stream sees more.",
    )
    async def streams(format: Format = "json", caller: Caller = reader) -> Response:
        found = [(await boards.read()).ledger, *await boards.entrances()]
        lines = [
            {"id": one.stream, "joins": one.joins, "as_of": utc_text(one.as_of), "publications": len(one.publications)}
            for one in found
        ]
        return table(_STREAMS, lines, "streams") if format == "csv" else json_response({"streams": lines})

    @routes.get(
        "/v1/audit",
        summary="The placebo audit",
        response_model=AuditAnswer,
        responses={**CSV, **problems(404)},
        description="The same alarm at past times without a publication: how often it rings for nothing. Where that is "
        "significantly more than 1 %, the threshold is raised to their own 99 % quantile.",
    )
    async def audit(stream: StreamName = ALL, format: Format = "json", caller: Caller = reader) -> Response:
        _, found = await _found(boards, stream)
        said = {"stream": found.stream, "as_of": utc_text(found.as_of), **found.audit.model_dump()}
        return table(_AUDIT, [said], "audit") if format == "csv" else json_response(said)

    return routes


async def _found(boards: Boards, stream: str) -> tuple[int, Ledger]:
    if stream == ALL:
        board = await boards.read()
        return board.revision, board.ledger
    found = await boards.entrance(stream)
    if found is None:
        raise Problem(404, "No such stream", "GET /v1/streams lists those that have a ledger.", "stream-not-found")
    return found


def _json(ledger: Ledger) -> dict[str, Any]:
    return ledger.model_dump(mode="json", by_alias=True)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    title = row["title"] or {}
    return {**row, "title_ja": title.get("ja"), "title_en": title.get("en")}
