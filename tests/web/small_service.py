"""A small service with one operation of each sort; also a process of its own: `python -m tests.web.small_service`."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.settings import ServiceSettings
from shared.telemetry.tracing import current_traceparent
from shared.web.auth import Caller, SessionLookup, Verifier, require
from shared.web.exchange import key_of
from shared.web.health import Health
from shared.web.problems import Problem, problems
from shared.web.routes import IMPORT_BODY_LIMIT, json_response, router
from shared.web.serve import run
from shared.web.service import Part, ServiceApp, build_app
from shared.web.sse import EventStream, Frame


class Note(BaseModel):
    """Something to write down."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str = Field(max_length=2_000_000, examples=["hello"])
    stars: float | None = Field(None, ge=0, le=5)


class Refused(Exception):
    """A domain's refusal, as the bus has it: known by its members alone."""

    status, slug, title, detail = 409, "already-there", "Already there", "There is one of that name."


Reader = Annotated[Caller, require("members:read")]
Writer = Annotated[Caller, require("members:write")]
Importer = Annotated[Caller, require("members:write", "history:write")]
Looker = Annotated[Caller, require("growth:read", cookie=True)]

NOTES = router(tags=["notes"], prefix="/v1")


@NOTES.post("/notes", status_code=201, summary="Write", responses=problems(409))
async def write(request: Request, note: Note, caller: Writer) -> Response:
    key = await key_of(request, caller)
    answer = {"by": caller.subject, "key": key.key if key else None}
    return json_response({**answer, "length": len(note.text), "traceparent": current_traceparent()}, 201)


@NOTES.get("/notes/{note_id}", summary="Read", responses=problems(404))
async def read(note_id: str, caller: Reader, page: int = 1) -> Response:
    if note_id != "known":
        raise Problem(404, "No such note", "There is no note of that id.", "no-note", note=note_id)
    return json_response({"id": note_id, "page": page, "by": caller.subject})


@NOTES.delete("/notes/{note_id}", summary="Delete", responses=problems(409))
async def delete(note_id: str, caller: Writer) -> Response:
    raise Refused


_CSV = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@NOTES.post("/notes:import", summary="Import", openapi_extra=_CSV, max_body_size=IMPORT_BODY_LIMIT)
async def import_notes(request: Request, caller: Importer) -> Response:
    return json_response({"bytes": len(await request.body())})


@NOTES.get("/page", summary="Look", include_in_schema=True)
async def page(caller: Looker) -> Response:
    return json_response({"by": caller.subject})


@NOTES.get("/broken", summary="Fail")
async def broken(caller: Reader) -> Response:
    raise ValueError("the secret of Yamada Hanako")


@NOTES.get("/slow", summary="Take a while")
async def slow(request: Request, caller: Reader) -> Response:
    request.app.state.in_flight.set()
    await request.app.state.stopping.wait()
    await asyncio.sleep(0.3)
    return json_response({"done": True})


@NOTES.get("/stream", summary="Listen")
async def stream(request: Request, caller: Looker) -> Response:
    return EventStream(_ticks(request.app), request.app.state.stopping)


async def _ticks(app: FastAPI) -> AsyncIterator[Frame]:
    """Says hello, then when the slow request has begun, then nothing more."""
    try:
        yield Frame("first\nsecond", id="7", event="tick")
        await app.state.in_flight.wait()
        yield Frame("slow has begun")
        await asyncio.Event().wait()
    finally:
        app.state.stream_closed.set()


def compose(
    settings: ServiceSettings,
    *,
    routers: list[APIRouter] | None = None,
    parts: list[Part] | None = None,
    health: Health | None = None,
    sessions: SessionLookup | None = None,
) -> ServiceApp:
    """The small service, as an `app.py` would compose it."""
    service = build_app(
        settings,
        name="membership",
        title="Notes",
        routers=routers or [NOTES],
        parts=parts or [],
        health=health,
        verifier=Verifier(settings),
        sessions=sessions,
    )
    service.app.state.in_flight = asyncio.Event()
    service.app.state.stream_closed = asyncio.Event()
    return service


class SlowPart:
    """A part that starts and stops as its environment says."""

    name = "slow"

    async def start(self) -> None:
        if os.environ.get("SMALL_PART") == "fails":
            raise RuntimeError("no such thing")
        if os.environ.get("SMALL_PART") == "hangs":
            await asyncio.Event().wait()

    async def stop(self) -> None:
        if os.environ.get("SMALL_PART") == "clings":
            await asyncio.Event().wait()


def build() -> ServiceApp:
    return compose(ServiceSettings(), parts=[SlowPart()])


if __name__ == "__main__":
    run(build)
