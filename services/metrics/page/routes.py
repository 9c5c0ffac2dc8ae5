"""The page over HTTP: the door (one-time link, cookie), the page, its live part, its static files."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.metrics.domain.board import Board
from services.metrics.live import LiveBoard
from services.metrics.page import render
from services.metrics.page.languages import choose
from services.metrics.page.words import Language
from services.metrics.store.sessions import SESSION_S, LinkSpent, Sessions
from shared.web.auth import COOKIE, Require
from shared.web.problems import Problem
from shared.web.routes import router
from shared.web.tokens import LinkRefused, verify_link

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def page(live: LiveBoard, sessions: Sessions, jwks: Path | None) -> APIRouter:
    """The routes of the page; none of them is an operation of the API."""
    routes = router()
    fragments = _Fragments()
    reader = Require(("growth:read",), cookie=True)

    @routes.get("/", include_in_schema=False)
    async def whole(request: Request) -> Response:
        try:
            await reader(request)
        except Problem as problem:
            if problem.status in (401, 403) and _wants_html(request):
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
            if jwks is None:
                raise LinkRefused("no keys of our own")
            value = await sessions.open(verify_link(jwks, request.query_params.get("code", "")))
        except LinkRefused:
            return _door(request, 403, title="invalid_title", text="invalid")
        except LinkSpent:
            return _door(request, 410, title="used_title", text="used")
        answer = RedirectResponse("/", 303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, value, max_age=SESSION_S, path="/", httponly=True, samesite="strict", secure=secure)
        return answer

    for path in sorted(render.STATIC.iterdir()):
        routes.add_api_route(f"/static/{path.name}", _static(path), include_in_schema=False)
    return routes


def _static(path: Path) -> Callable[[Request], Awaitable[Response]]:
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=_MEDIA_TYPES[path.suffix])

    return serve


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


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
