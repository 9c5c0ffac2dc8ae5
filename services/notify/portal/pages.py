"""How a page of the portal is served: who visits, whether the form is ours, and every refusal as a page."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.notify.portal import render
from services.notify.portal.refusals import problem_of, refusal
from services.notify.portal.visit import Visit, read_form
from shared.web.auth import Caller, Require
from shared.web.languages import Language, choose
from shared.web.pages import wants_html
from shared.web.problems import Problem
from shared.web.routes import router

COOKIE: Final = "kairan_portal"
LANGUAGE_COOKIE: Final = "kairan_language"
MOST_FORM_BYTES: Final = 128 * 1024
A_YEAR_S: Final = 365 * 86400
NOBODY: Final = Caller("", frozenset())

Page = Callable[[Visit], Awaitable[Response]]


class Pages:
    """Collects the routes of the portal; none of them is an operation of the API."""

    def __init__(self) -> None:
        self.routes: APIRouter = router()

    def shows(self, path: str, page: Page, scope: str = "endpoints:read") -> None:
        """A page to look at."""
        self._add("GET", path, page, scope)

    def takes(self, path: str, page: Page, scope: str = "endpoints:write") -> None:
        """A page that takes a form, and leads on by a redirect."""
        self._add("POST", path, page, scope)

    def _add(self, method: str, path: str, page: Page, scope: str) -> None:
        gate = Require((scope,), cookie=True)

        async def serve(request: Request) -> Response:
            language = language_of(request)
            try:
                visit = await _visit(request, gate, language)
                answer = await page(visit)
            except Exception as error:
                problem = problem_of(error)
                if problem is None or not wants_html(request):
                    raise problem or error from None
                return _refused(request, problem, language)
            return _remembering(answer, request)

        # A form is read by its own rules; this only bounds it.
        self.routes.add_api_route(
            f"{render.ROOT}{path}",
            serve,
            methods=[method],
            include_in_schema=False,
            name=f"{method} {path}",
            max_body_size=MOST_FORM_BYTES if method == "POST" else None,
        )


def language_of(request: Request) -> Language:
    """What was asked for, else what was chosen before, else the browser's wish."""
    asked = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return choose(asked, request.headers.get("accept-language"))


async def _visit(request: Request, gate: Require, language: Language) -> Visit:
    caller = await gate(request)
    cookie = "" if "authorization" in request.headers else request.cookies.get(COOKIE, "")
    visit = Visit(request, caller, language, cookie)
    if request.method != "POST":
        return visit
    return Visit(request, caller, language, cookie, await read_form(request, cookie, visit.proof))


def _refused(request: Request, problem: Problem, language: Language) -> Response:
    if problem.status == 401:
        return render.door(language, 401, "locked")
    visit = Visit(request, NOBODY, language, cookie="")
    return render.page(visit, "refused.html", problem.status, refusal=refusal(problem, visit.words), here="")


def _remembering(answer: Response, request: Request) -> Response:
    if (asked := request.query_params.get("lang")) in ("ja", "en"):
        answer.set_cookie(LANGUAGE_COOKIE, asked, max_age=A_YEAR_S, path=render.ROOT, httponly=True, samesite="strict")
    return answer
