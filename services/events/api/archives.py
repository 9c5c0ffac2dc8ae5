"""The operations on archives and publications (アーカイブ, 発行・公開)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.events import examples
from services.events.domain import Correct, Publish, Withdraw
from services.events.requests import ArchiveRecord, Correcting, Publishing, Withdrawing
from services.events.store import Archives, new_id, new_link_code
from shared.bus.command import Refused, State
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, accepted, key_of, said, takes
from shared.web.problems import problems
from shared.web.routes import json_response, router
from shared.web.times import HISTORY, Times, past

_SHOWN = tuple(name for name in ArchiveRecord.model_fields if name != "id")

MayRead = Annotated[Caller, require("archives:read")]
MayWrite = Annotated[Caller, require("archives:write")]


class ArchivesApi:
    """Something reaches the public, is corrected, is no longer offered."""

    def __init__(self, archives: Archives, times: Times) -> None:
        self._archives = archives
        self._times = times

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["archives"], prefix="/v1/archives")
        api.post(
            "",
            status_code=201,
            response_model=Accepted,
            responses=problems(409),
            openapi_extra=takes(Publishing, examples.PUBLISH),
            operation_id="publish",
            summary="Something reaches the public: now, or when it truly did",
        )(self.publish)
        api.get(
            "/{archive_id}",
            response_model=ArchiveRecord,
            responses=problems(404),
            operation_id="archive",
            summary="An archive, with its link",
        )(self.show)
        api.post(
            "/{archive_id}/correct",
            response_model=Accepted,
            responses=problems(404, 409),
            openapi_extra=takes(Correcting, examples.CORRECT),
            operation_id="correct-archive",
            summary="Correct what was said about an archive; what is absent is unchanged",
        )(self.correct)
        api.post(
            "/{archive_id}/withdraw",
            response_model=Accepted,
            responses=problems(404, 409),
            openapi_extra=takes(Withdrawing, examples.WITHDRAW, optional=True),
            operation_id="withdraw-archive",
            summary="An archive is no longer offered; what it brought stays counted",
        )(self.withdraw)
        return api

    async def publish(self, request: Request, caller: MayWrite) -> Response:
        published = await said(request, Publishing)
        when = self._times.when(caller, published.occurred_at, published.recorded_at)
        command = Publish(new_id(), published, new_link_code(), when)
        return accepted(await self._archives.publish(command, await key_of(request, caller)))

    async def show(self, archive_id: str, caller: MayRead) -> Response:
        archive = await self._archives.find(archive_id)
        if archive is None:
            raise Refused(404, "archive-not-found", "No such archive", "There is no archive with this id.")
        return json_response(_shown(archive))

    async def correct(self, request: Request, archive_id: str, caller: MayWrite) -> Response:
        correcting = await said(request, Correcting)
        if correcting.published_at is not None:
            caller.demand(HISTORY)
        command = Correct(
            archive_id,
            correcting,
            past(correcting.published_at) if correcting.published_at else None,
            self._times.when(caller, None, correcting.recorded_at),
        )
        return accepted(await self._archives.correct(command, await key_of(request, caller)))

    async def withdraw(self, request: Request, archive_id: str, caller: MayWrite) -> Response:
        withdrawn = await said(request, Withdrawing, optional=True)
        when = self._times.when(caller, withdrawn.occurred_at, withdrawn.recorded_at)
        command = Withdraw(archive_id, withdrawn.reason_code, when)
        return accepted(await self._archives.withdraw(command, await key_of(request, caller)))


def _shown(archive: State) -> dict[str, object]:
    return {"id": archive["_id"], **{name: archive.get(name) for name in _SHOWN}}
