"""The clock of a replayed or demo year: whoever plays the year says how far it is."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response

from services.events import examples
from services.events.requests import TimePassing
from services.events.store import StreamClock
from shared.bus.command import Refused
from shared.clock import Clock, wall_now
from shared.web.auth import Caller, require
from shared.web.exchange import Accepted, accepted, key_of, said, takes
from shared.web.problems import problems
from shared.web.routes import router
from shared.web.times import planned

# The hour or day that holds the wall's now may be told to its end, but a slip of a century would be for ever.
_MOST_AHEAD = timedelta(days=1)

MayWrite = Annotated[Caller, require("clock:write")]


class ClockApi:
    """Time passes; only where the stack was started with a stream clock."""

    def __init__(self, stream: StreamClock, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def routes(self) -> APIRouter:
        """The operation, documented."""
        api = router(tags=["clock"], prefix="/v1/clock")
        api.post(
            "",
            response_model=Accepted,
            responses=problems(409),
            openapi_extra=takes(TimePassing, examples.PASS_TIME),
            operation_id="pass-time",
            summary="Say that all before a moment has been told (stream clock only)",
        )(self.pass_time)
        return api

    async def pass_time(self, request: Request, caller: MayWrite) -> Response:
        until = planned((await said(request, TimePassing)).until)
        if self._clock.kind == "wall":
            raise Refused(409, "wall-clock", "The clock is the wall's", "Time is told only to a stream clock.")
        if until > wall_now() + _MOST_AHEAD:
            raise Refused(409, "ahead-of-now", "Ahead of now", "A stream's time ends at most a day after now.")
        outcome = await self._stream.pass_time(until, await key_of(request, caller))
        self._clock.advance(until)
        return accepted(outcome)
