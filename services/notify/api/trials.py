"""The operations that try an endpoint out."""

from fastapi import APIRouter, Request, Response

from services.notify.nesting import said
from services.notify.requests import TRY, Trying
from services.notify.shown import DryRun, SentShown, dry_run_shown
from services.notify.trials import Trials
from shared.web.auth import Caller, require
from shared.web.exchange import key_of, takes
from shared.web.problems import problems
from shared.web.routes import json_response, router


class TrialsApi:
    """Who calls, and with which words; the trials do it."""

    def __init__(self, trials: Trials) -> None:
        self._trials = trials

    def routes(self) -> APIRouter:
        """The operations, documented; every example works as it stands."""
        api = router(tags=["endpoints"], prefix="/v1")
        api.post(
            "/endpoints/{endpoint_id}/dry-run",
            response_model=DryRun,
            responses=problems(404),
            openapi_extra=takes(Trying, TRY, optional=True),
            operation_id="dry-run-endpoint",
            summary="Which of the last 100 events the endpoint would have heard; nothing is sent",
        )(self.dry_run)
        api.post(
            "/endpoints/{endpoint_id}/test",
            status_code=202,
            response_model=SentShown,
            responses=problems(404, 409),
            operation_id="test-endpoint",
            summary="Send an event of type kairan.endpoint-test.v1 to this endpoint alone",
        )(self.test)
        return api

    async def dry_run(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:read")) -> Response:
        wanted = await said(request, Trying, optional=True)
        return json_response(dry_run_shown(await self._trials.dry_run(endpoint_id, wanted, caller)))

    async def test(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return json_response(await self._trials.test(endpoint_id, caller, await key_of(request, caller)), 202)
