"""The operation on the records of people's real ids given to others."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.notify.disclosures import Disclosures
from shared.requests import Moment
from shared.store.mongo import Document
from shared.web.auth import Caller, require
from shared.web.routes import json_response, router
from shared.web.tables import CSV, Format, table

_FIELDS = ("at", "event_type", "recipient", "country", "legal_basis", "foreign_basis", "purpose", "webhook_id", "state")


class DisclosureRecord(BaseModel):
    """One delivery that was taken, or read, with what was declared then; null where nothing was declared yet."""

    at: datetime
    endpoint_id: str
    webhook_id: str
    event_type: str
    member_ids: Annotated[list[str], Field(description="Whose ids were in it.")]
    recipient: str | None
    country: str | None
    legal_basis: str | None
    foreign_basis: str | None
    purpose: str | None
    state: Annotated[Literal["delivered", "read"], Field(description="`read`: by the owner, in the log or by pull.")]


class DisclosureList(BaseModel):
    disclosures: list[DisclosureRecord]


class DisclosuresApi:
    """Reads the records for whoever answers for them."""

    def __init__(self, disclosures: Disclosures) -> None:
        self._disclosures = disclosures

    def routes(self) -> APIRouter:
        """The operation, documented."""
        api = router(tags=["disclosures"], prefix="/v1")
        api.get(
            "/disclosures",
            response_model=DisclosureList,
            responses=CSV,
            operation_id="disclosures",
            summary="To whom people's real ids were given, when and why (APPI, article 29); kept 3 years",
        )(self.disclosures)
        return api

    async def disclosures(
        self,
        endpoint: Annotated[str | None, Query(description="Only this endpoint's.", max_length=64)] = None,
        since: Annotated[Moment | None, Query(alias="from", description="From this moment on.")] = None,
        until: Annotated[Moment | None, Query(alias="to", description="Up to before this moment.")] = None,
        limit: Annotated[int, Query(ge=1, le=10_000, description="The oldest first; go on `from` the last.")] = 1_000,
        format: Format = "json",
        caller: Caller = require("endpoints:admin"),
    ) -> Response:
        found = [_shown(one) for one in await self._disclosures.find(endpoint, since, until, limit)]
        if format == "csv":
            return table(list(DisclosureRecord.model_fields), found, "disclosures")
        return json_response({"disclosures": found})


def _shown(record: Document) -> dict[str, object]:
    return {
        "endpoint_id": record["endpoint"],
        "member_ids": record["members"],
        **{name: record[name] for name in _FIELDS},
    }
