"""The portal, composed: the door, its pages, its static files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.notify.portal import render
from services.notify.portal.guide_page import add_guide
from services.notify.portal.pages import COOKIE, Pages, language_of
from services.notify.portal.visit import Visit
from shared.web.door import Door
from shared.web.pages import add_static_files
from shared.web.sessions import LinkSpent, Sessions
from shared.web.tokens import PORTAL_LINK_AUDIENCE, LinkRefused


class Chapter(Protocol):
    """Some pages that belong together."""

    def add_to(self, pages: Pages) -> None: ...


def portal(chapters: Sequence[Chapter], sessions: Sessions, jwks: Path | None) -> APIRouter:
    """The routes under `/portal`; none of them is an operation of the API."""
    first = f"{render.ROOT}/endpoints"
    door = Door(sessions, jwks, PORTAL_LINK_AUDIENCE, COOKIE, path=render.ROOT, inside=first)
    pages = Pages()

    @pages.routes.get(render.ROOT, include_in_schema=False)
    async def whole(_: Request) -> Response:
        return RedirectResponse(first, 303)

    @pages.routes.get(f"{render.ROOT}/enter", include_in_schema=False)
    async def enter(request: Request) -> Response:
        try:
            return await door.enter(request)
        except LinkRefused:
            return render.door(language_of(request), 403, "invalid")
        except LinkSpent:
            return render.door(language_of(request), 410, "used")

    async def leave(visit: Visit) -> Response:
        return await door.leave(visit.request, first)

    pages.takes("/leave", leave, "endpoints:read")
    for chapter in chapters:
        chapter.add_to(pages)
    add_guide(pages)
    add_static_files(pages.routes, render.HERE / "static", render.STATIC)
    return pages.routes
