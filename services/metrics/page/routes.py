"""The page over HTTP: the door (one-time link, cookie), the page, its live part, its static files."""

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from services.metrics.domain.board import Board
from services.metrics.live import LiveBoard
from services.metrics.page import render
from shared.web.auth import COOKIE, Require
from shared.web.door import Door
from shared.web.languages import Language, choose
from shared.web.pages import add_static_files, wants_html
from shared.web.problems import Problem
from shared.web.routes import router
from shared.web.sessions import LinkSpent, Sessions
from shared.web.tokens import LINK_AUDIENCE, LinkRefused


def page(live: LiveBoard, sessions: Sessions, jwks: Path | None) -> APIRouter:
    """The routes of the page; none of them is an operation of the API."""
    routes = router()
    fragments = _Fragments()
    reader = Require(("growth:read",), cookie=True)
    door = Door(sessions, jwks, LINK_AUDIENCE, COOKIE, path="/", inside="/")

    @routes.get("/", include_in_schema=False)
    async def whole(request: Request) -> Response:
        try:
            await reader(request)
        except Problem as problem:
            if problem.status in (401, 403) and wants_html(request):
                return _door(request, problem.status, title="locked_title", text="locked")
            raise
        board = await live.at_least(await live.newest_revision())
        return HTMLResponse(render.page(board, _language(request)), headers=render.HEADERS)

    @routes.get("/fragment", include_in_schema=False)
    async def fragment(request: Request) -> Response:
        await reader(request)
        asked = request.query_params.get("revision", "")
        board = await live.at_least(int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else 0)
        return HTMLResponse(fragments.of(board, _language(request)), headers=render.HEADERS)

    @routes.get("/enter", include_in_schema=False)
    async def enter(request: Request) -> Response:
        try:
            return await door.enter(request)
        except LinkRefused:
            return _door(request, 403, title="invalid_title", text="invalid")
        except LinkSpent:
            return _door(request, 410, title="used_title", text="used")

    add_static_files(routes, render.STATIC, "/static")
    return routes


def _language(request: Request) -> Language:
    return choose(request.query_params.get("lang"), request.headers.get("accept-language"))


def _door(request: Request, status: int, *, title: str, text: str) -> Response:
    return HTMLResponse(render.door(_language(request), title=title, text=text), status, render.HEADERS)


class _Fragments:
    """The live part of the newest revision, rendered once for all readers."""

    def __init__(self) -> None:
        self._revision = -1
        self._html: dict[Language, str] = {}

    def of(self, board: Board, lang: Language) -> str:
        """The fragment in one language."""
        if board.revision != self._revision:
            self._revision, self._html = board.revision, {}
        if lang not in self._html:
            self._html[lang] = render.fragment(board, lang)
        return self._html[lang]
