"""The operations on sessions (勉強会・集まり)."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.events import examples
from services.events.domain import Cancel, Hold, Reschedule, Schedule
from services.events.requests import Cancelling, Holding, Rescheduling, Scheduling, SessionRecord
from services.events.store import Sessions, new_id
from shared.bus.command import Refused, State
from shared.clock import wall_now
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, accepted, key_of, said, takes
from shared.web.problems import problems
from shared.web.routes import json_response, router
from shared.web.times import AHEAD, Times, past, planned

_SHOWN = tuple(name for name in SessionRecord.model_fields if name != "id")

MayRead = Annotated[Caller, require("sessions:read")]
MayWrite = Annotated[Caller, require("sessions:write")]


class SessionsApi:
    """A session is announced, moved, called off or held."""

    def __init__(self, sessions: Sessions, times: Times) -> None:
        self._sessions = sessions
        self._times = times

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["sessions"], prefix="/v1/sessions")
        api.post(
            "",
            status_code=201,
            response_model=Accepted,
            responses=problems(409),
            openapi_extra=takes(Scheduling, examples.SCHEDULE),
            operation_id="schedule-session",
            summary="Announce a session",
        )(self.schedule)
        api.get(
            "/{session_id}",
            response_model=SessionRecord,
            responses=problems(404),
            operation_id="session",
            summary="A session, with its title, place and link",
        )(self.show)
        api.post(
            "/{session_id}/reschedule",
            response_model=Accepted,
            responses=problems(404, 409),
            openapi_extra=takes(Rescheduling, examples.RESCHEDULE),
            operation_id="reschedule-session",
            summary="Move a session that is still to come",
        )(self.reschedule)
        api.post(
            "/{session_id}/cancel",
            response_model=Accepted,
            responses=problems(404, 409),
            openapi_extra=takes(Cancelling, examples.CANCEL, optional=True),
            operation_id="cancel-session",
            summary="Call off a session that is still to come",
        )(self.cancel)
        api.post(
            "/{session_id}/hold",
            response_model=Accepted,
            responses=problems(404, 409),
            openapi_extra=takes(Holding, examples.HOLD, optional=True),
            operation_id="hold-session",
            summary="Say that a session took place",
        )(self.hold)
        return api

    async def schedule(self, request: Request, caller: MayWrite) -> Response:
        scheduling = await said(request, Scheduling)
        command = Schedule(
            new_id(),
            scheduling,
            planned(scheduling.starts_at),
            planned(scheduling.ends_at),
            self._times.when(caller, scheduling.occurred_at, scheduling.recorded_at),
        )
        return accepted(await self._sessions.schedule(command, await key_of(request, caller)))

    async def show(self, session_id: str, caller: MayRead) -> Response:
        session = await self._sessions.find(session_id)
        if session is None:
            raise Refused(404, "session-not-found", "No such session", "There is no session with this id.")
        return json_response(_shown(session))

    async def reschedule(self, request: Request, session_id: str, caller: MayWrite) -> Response:
        moved = await said(request, Rescheduling)
        when = self._times.when(caller, moved.occurred_at, moved.recorded_at)
        command = Reschedule(session_id, planned(moved.starts_at), planned(moved.ends_at), when)
        return accepted(await self._sessions.reschedule(command, await key_of(request, caller)))

    async def cancel(self, request: Request, session_id: str, caller: MayWrite) -> Response:
        cancelled = await said(request, Cancelling, optional=True)
        when = self._times.when(caller, cancelled.occurred_at, cancelled.recorded_at)
        command = Cancel(session_id, cancelled.reason_code, when)
        return accepted(await self._sessions.cancel(command, await key_of(request, caller)))

    async def hold(self, request: Request, session_id: str, caller: MayWrite) -> Response:
        held = await said(request, Holding, optional=True)
        command = Hold(
            session_id,
            past(held.started_at) if held.started_at else None,
            past(held.ended_at) if held.ended_at else None,
            held.attendees,
            wall_now() + AHEAD,
            self._times.when(caller, None, held.recorded_at).recorded_at,
        )
        return accepted(await self._sessions.hold(command, await key_of(request, caller)))


def _shown(session: State) -> dict[str, object]:
    return {"id": session["_id"], **{name: session.get(name) for name in _SHOWN}}
