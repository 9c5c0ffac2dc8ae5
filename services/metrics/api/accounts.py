"""Growth accounting over HTTP, as JSON and as one table."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field
from starlette.responses import Response

from services.metrics.accounting import Accounting
from services.metrics.domain.splits import CohortLine, DepthLine, ReferralLine
from services.metrics.times import AskedDay
from shared.web.auth import Caller, require
from shared.web.routes import json_response, router
from shared.web.tables import CSV, Format, table

_COLUMNS = ("measure", "key", "value", "unit")


class GrowthLine(BaseModel):
    """What the members of some time ago were multiplied by."""

    days: int
    since: AwareDatetime | None = Field(description="The moment compared with, up to its hour")
    members_then: int
    factor: float | None = Field(description="members / members_then; null where there were none")


class ReachAnswer(BaseModel):
    """How far the community has come."""

    members: int
    members_share: float = Field(description="members / of_members")
    organisations: int = Field(description="Organisations of members; moves once a day")
    organisations_share: float = Field(description="organisations / of_organisations")
    of_members: int = Field(description="All public servants")
    of_organisations: int = Field(description="All prefectures, cities, towns and villages")


class SourceLine(BaseModel):
    """Joins by what members say brought them."""

    source: str
    joins: int
    share: float = Field(description="joins / all joins")


class AccountingAnswer(BaseModel):
    """Totals up to as_of; what is split by an attribute of people as of split_day, cells under ten masked as null."""

    as_of: AwareDatetime | None = Field(description="Up to when the totals are counted")
    members: int
    growth: list[GrowthLine]
    reach: ReachAnswer
    joins: int = Field(description="Joins that are growth: all but those of unknown date")
    sources: list[SourceLine] = Field(description="Most frequent first; `unknown` always, last")
    split_day: date | None = Field(description="The day after which the split figures moved last")
    referral: ReferralLine | None
    depths: list[DepthLine]
    cohorts: list[CohortLine]


def accounting_routes(accounting: Accounting) -> APIRouter:
    """The route; it takes a bearer token or a browser's cookie with `growth:read`."""
    routes = router(tags=["growth"])
    reader = require("growth:read", cookie=True)

    @routes.get(
        "/v1/accounting",
        summary="Growth accounting",
        response_model=AccountingAnswer,
        responses=CSV,
        description="Members, growth factor, reach and the sources of joins up to a day's end; referrals and cohorts, "
        "which split people by an attribute, once a day. A split figure of fewer than ten people is null, and so is "
        "what would give it away; it stays until ten have moved, so that no two answers differ by fewer.",
    )
    async def whole(
        as_of: Annotated[AskedDay, Query(description="The day to whose end totals are counted")] = None,
        format: Format = "json",
        caller: Caller = reader,
    ) -> Response:
        found = await accounting.all(as_of)
        return table(_COLUMNS, _lines(found), "accounting") if format == "csv" else json_response(found)

    return routes


def _lines(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield _line("as_of", "", found["as_of"], "")
    yield _line("members", "", found["members"], "members")
    yield _line("joins", "", found["joins"], "joins")
    for one in found["growth"]:
        yield _line("growth_factor", f"{one['days']} days", one["factor"], "ratio")
    for name in ("members_share", "organisations_share"):
        yield _line("reach", name, found["reach"][name], "ratio")
    yield _line("reach", "organisations", found["reach"]["organisations"], "organisations")
    for one in found["sources"]:
        yield _line("source", one["source"], one["joins"], "joins")
    yield _line("split_day", "", found["split_day"], "")
    for name, value in (found["referral"] or {}).items():
        yield _line("referral", name, value, "ratio" if name in ("coefficient", "mean_depth") else "members")
    for one in found["depths"]:
        yield _line("depth", str(one["depth"]), one["people"], "members")
    for one in found["cohorts"]:
        for name in ("joined", "left", "still"):
            yield _line(f"cohort_{name}", one["month"], one[name], "members")


def _line(measure: str, key: str, value: Any, unit: str) -> dict[str, Any]:
    return {"measure": measure, "key": key, "value": value, "unit": unit}
