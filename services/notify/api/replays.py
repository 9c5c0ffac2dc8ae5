"""The operations by which deliveries are sent again or skipped: preview, replay, progress, stop, skip."""

from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.notify.nesting import said
from services.notify.replay import Replays
from services.notify.selection import Chosen, History, OneDelivery, Selection, kind_of
from services.notify.shown_log import DeliveryWhole, delivery_whole
from services.notify.shown_replay import PreviewShown, ReplayList, ReplayShown, preview_shown, replay_shown
from shared.requests import RequestBody
from shared.web.auth import Caller, require
from shared.web.exchange import takes_one_of
from shared.web.problems import problems
from shared.web.routes import json_response, router

_TOKEN: Final = Field(max_length=16_384, pattern=r"^[A-Za-z0-9_=-]+$", description="Of the preview.")


class StartOne(OneDelivery):
    """The delivery that was previewed."""

    token: Annotated[str, _TOKEN]


class StartChosen(Chosen):
    """What was previewed, or nothing but its token."""

    token: Annotated[str, _TOKEN]


class StartHistory(History):
    """The stretch that was previewed."""

    token: Annotated[str, _TOKEN]


_CHOOSE: Final = (
    "One delivery (`delivery_id`); or all that fit `state`, `event_types`, `status`, `from`, `to`, `since_sequence`; "
    "or `history`: what the bus recorded and the endpoint has no delivery of, because it was made later, was disabled, "
    "or the log no longer has it."
)
_FAILED: Final[dict[str, Any]] = {"state": "exhausted", "from": "2026-04-01T00:00:00+09:00"}


class ReplaysApi:
    """Who calls, and with which words."""

    def __init__(self, replays: Replays) -> None:
        self._replays = replays

    def routes(self) -> APIRouter:
        """The operations, documented."""
        api = router(tags=["replays"], prefix="/v1")
        api.post(
            "/endpoints/{endpoint_id}/replays/preview",
            response_model=PreviewShown,
            responses=problems(404, 409),
            openapi_extra=takes_one_of((OneDelivery, Chosen, History), _FAILED),
            operation_id="preview-replay",
            summary="What a replay would send; the token in the answer starts it, for 10 minutes",
            description=_CHOOSE,
        )(self.preview)
        api.post(
            "/endpoints/{endpoint_id}/replays",
            status_code=202,
            response_model=ReplayShown,
            responses=problems(404, 409, 412),
            openapi_extra=takes_one_of((StartOne, StartChosen, StartHistory), {"token": "gAAAA…"}),
            operation_id="replay",
            summary="Send again what was previewed; the same token starts it once",
            description="Each keeps its `webhook-id` and its number, and gets a fresh schedule. What comes from "
            "history gets the next numbers. A selection beside the token has to be the one that was previewed.",
        )(self.start)
        api.get(
            "/endpoints/{endpoint_id}/replays",
            response_model=ReplayList,
            responses=problems(404),
            operation_id="replays",
            summary="An endpoint's last replays, newest first",
        )(self.list)
        api.get(
            "/replays/{replay_id}",
            response_model=ReplayShown,
            responses=problems(404),
            operation_id="replay-progress",
            summary="How far a replay has come",
        )(self.show)
        api.delete(
            "/replays/{replay_id}",
            response_model=ReplayShown,
            responses=problems(404),
            operation_id="stop-replay",
            summary="Stop a replay; what it has already given out is still sent",
        )(self.stop)
        api.post(
            "/deliveries/{delivery_id}/skip",
            response_model=DeliveryWhole,
            responses=problems(404, 409),
            operation_id="skip-delivery",
            summary="Give up a delivery that waits, or that holds up those behind it",
        )(self.skip)
        return api

    async def preview(
        self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")
    ) -> Response:
        selection = await said(request, kind_of(await _words(request)))
        return json_response(preview_shown(await self._replays.preview(endpoint_id, selection, caller)))

    async def start(self, request: Request, endpoint_id: str, caller: Caller = require("endpoints:write")) -> Response:
        words = await _words(request)
        wanted = await said(request, _STARTS[kind_of(words)])
        selection = None if words.keys() <= {"token"} else _selection(words)
        return json_response(replay_shown(await self._replays.start(endpoint_id, wanted.token, selection, caller)), 202)

    async def list(self, endpoint_id: str, caller: Caller = require("endpoints:read")) -> Response:
        found = await self._replays.list(endpoint_id, caller)
        return json_response({"replays": [replay_shown(one) for one in found]})

    async def show(self, replay_id: str, caller: Caller = require("endpoints:read")) -> Response:
        return json_response(replay_shown(await self._replays.show(replay_id, caller)))

    async def stop(self, replay_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return json_response(replay_shown(await self._replays.stop(replay_id, caller)))

    async def skip(self, delivery_id: str, caller: Caller = require("endpoints:write")) -> Response:
        return json_response(delivery_whole(await self._replays.skip(delivery_id, caller)))


_STARTS: Final[dict[type[RequestBody], Any]] = {OneDelivery: StartOne, Chosen: StartChosen, History: StartHistory}


async def _words(request: Request) -> dict[str, Any]:
    """The body's fields; empty for what is no object, of which the model then says so."""
    words = await request.json()
    return words if isinstance(words, dict) else {}


def _selection(words: dict[str, Any]) -> Selection:
    bare = {name: value for name, value in words.items() if name != "token"}
    return kind_of(bare).model_validate_json(orjson.dumps(bare))
