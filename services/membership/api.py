"""The HTTP API of membership."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, WithJsonSchema

from services.membership import examples
from services.membership.domain import PERSONAL, Erase, Join, Leave, Void, refuse_erased, refuse_unknown
from services.membership.importing import Importer
from services.membership.requests import Erasing, ImportResult, Joining, Member, Voiding
from services.membership.store import Members, new_id
from shared.bus.command import State
from shared.catalogue.member import LeaveReason
from shared.requests import rfc_3339
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, accepted, key_of, said, takes
from shared.web.problems import problems
from shared.web.routes import IMPORT_BODY_LIMIT, json_response, router
from shared.web.times import HISTORY, Times

_WHEN_LEFT = Query(description="When they left, if not now. Needs the scope history:write.")
_WhenLeft = Annotated[
    datetime | None,
    BeforeValidator(rfc_3339),
    WithJsonSchema({"type": "string", "format": "date-time"}),
    _WHEN_LEFT,
]

MayRead = Annotated[Caller, require("members:read")]
MayWrite = Annotated[Caller, require("members:write")]


class MembersApi:
    """The operations on members. Answers to commands carry no personal data; only GET shows a member."""

    def __init__(self, members: Members, times: Times) -> None:
        self._members = members
        self._times = times
        self._importer = Importer(members, times)

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["members"], prefix="/v1")
        api.post(
            "/members",
            status_code=201,
            response_model=Accepted,
            responses=problems(409),
            openapi_extra=takes(Joining, examples.JOIN),
            operation_id="join",
            summary="A verified public servant joins",
        )(self.join)
        api.post(
            "/members:import",
            response_model=ImportResult,
            responses=problems(409),
            openapi_extra=examples.import_body(),
            max_body_size=IMPORT_BODY_LIMIT,
            operation_id="import-members",
            summary="Members come from a list (CSV); every row has a result of its own",
        )(self.import_members)
        api.get(
            "/members/{member_id}",
            response_model=Member,
            responses=problems(404, 410),
            operation_id="member",
            summary="A member, with personal data",
        )(self.show)
        api.delete(
            "/members/{member_id}",
            response_model=Accepted,
            responses=problems(404, 409, 410),
            operation_id="leave",
            summary="A member leaves; the record stays and says when",
        )(self.leave)
        api.post(
            "/members/{member_id}/erase",
            response_model=Accepted,
            responses=problems(404, 410),
            openapi_extra=takes(Erasing, examples.ERASE, optional=True),
            operation_id="erase",
            summary="A member's personal data go, everywhere and for ever",
        )(self.erase)
        api.post(
            "/members/{member_id}/void",
            response_model=Accepted,
            responses=problems(404, 409, 410),
            openapi_extra=takes(Voiding, examples.VOID, optional=True),
            operation_id="void",
            summary="A join was a mistake and never counted",
        )(self.void)
        return api

    async def join(self, request: Request, caller: MayWrite) -> Response:
        joining = await said(request, Joining)
        if joining.joined_precision != "hour":
            caller.demand(HISTORY)
        when = self._times.when(caller, joining.occurred_at, joining.recorded_at)
        key = await key_of(request, caller)
        return accepted(await self._members.join(Join(new_id(), joining, when), key))

    async def import_members(self, request: Request, caller: MayWrite) -> Response:
        text = (await request.body()).decode()
        key = await key_of(request, caller)
        return json_response(await self._importer.run(text, caller, key))

    async def show(self, member_id: str, caller: MayRead) -> Response:
        member = await self._members.find(member_id)
        if member is None:
            raise refuse_unknown()
        if member.get("erased_at"):
            raise refuse_erased()
        return json_response(_shown(member))

    async def leave(
        self,
        request: Request,
        member_id: str,
        caller: MayWrite,
        reason_code: Annotated[LeaveReason, Query(description="Why they leave.")] = "self",
        occurred_at: _WhenLeft = None,
    ) -> Response:
        when = self._times.when(caller, occurred_at)
        key = await key_of(request, caller)
        return accepted(await self._members.leave(Leave(member_id, reason_code, when), key))

    async def erase(self, request: Request, member_id: str, caller: MayWrite) -> Response:
        erasing = await said(request, Erasing, optional=True)
        key = await key_of(request, caller)
        return accepted(await self._members.erase(Erase(member_id, erasing.basis, self._times.when(caller)), key))

    async def void(self, request: Request, member_id: str, caller: MayWrite) -> Response:
        voiding = await said(request, Voiding, optional=True)
        key = await key_of(request, caller)
        return accepted(await self._members.void(Void(member_id, voiding.reason_code, self._times.when(caller)), key))


_SHOWN = (
    *("version", "source", "source_ref", "reason", "entrance_theme_id", "joined_at", "joined_precision"),
    *("left_at", "left_reason", "voided_at", "void_reason"),
)


def _shown(member: State) -> dict[str, object]:
    personal = member.get("personal", {})
    return {
        "id": member["_id"],
        **{name: member.get(name) for name in _SHOWN},
        **{name: personal.get(name) for name in PERSONAL},
    }
