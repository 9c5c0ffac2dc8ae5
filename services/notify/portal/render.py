"""The portal's templates, made into answers."""

import uuid
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.notify.portal.languages import WORDS
from services.notify.portal.visit import Visit
from shared.clock import JST
from shared.web.languages import Language
from shared.web.pages import headers_of_pages, templates_in

HERE: Final = Path(__file__).parent
ROOT: Final = "/portal"
STATIC: Final = f"{ROOT}/static"
HEADERS: Final = headers_of_pages(forms=True)


@cache
def _templates() -> Environment:
    templates = templates_in(HERE / "templates", STATIC)
    templates.globals["root"] = ROOT
    templates.globals["named"] = lambda names, words: [(name, words.get(name, name)) for name in names]
    templates.filters |= {"moment": _moment, "name": event_name, "code": code}
    return templates


def page(visit: Visit, template: str, status: int = 200, **values: Any) -> Response:
    """A page in the visit's language; every form on it carries the session's proof and a key of its own."""
    known = {"w": visit.words, "proof": visit.proof, "new_key": lambda: str(uuid.uuid4()), "notice": _notice(visit)}
    html = _templates().get_template(template).render(**known, languages=_in_other_language(visit), **values)
    return HTMLResponse(html, status, HEADERS)


def door(language: Language, status: int, name: str) -> Response:
    """Words for who cannot come in (yet), in both languages; `name` is locked, used or invalid."""
    both = [WORDS[language], WORDS[WORDS[language].other_lang]]
    said = [(words.lang, getattr(words, f"{name}_title"), getattr(words, name)) for words in both]
    html = _templates().get_template("door.html").render(said=said, w=WORDS[language])
    return HTMLResponse(html, status, HEADERS)


def redirect(path: str, **query: str) -> Response:
    """To another page of the portal, after a form was taken."""
    target = f"{ROOT}{path}" + (f"?{urlencode(query)}" if query else "")
    return RedirectResponse(target, 303, headers={"Cache-Control": "no-store"})


def event_name(event_type: str) -> str:
    """`kairan.member-joined.v1` as people say it: member-joined."""
    return event_type.removeprefix("kairan.").rpartition(".v")[0] or event_type


def code(text: str) -> Markup:
    """The text escaped, with what stands between backticks as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _moment(moment: datetime | None) -> Markup | str:
    """A moment in Japan's time, to the second, as people and programs read it."""
    if moment is None:
        return ""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        aware.astimezone(UTC).isoformat(timespec="milliseconds"), f"{aware.astimezone(JST):%Y-%m-%d %H:%M:%S}"
    )


def _notice(visit: Visit) -> str:
    return visit.words.done.get(visit.asked("done"), "")


def _in_other_language(visit: Visit) -> str:
    request: Request = visit.request
    url = request.url.include_query_params(lang=visit.words.other_lang).remove_query_params(["done", "once"])
    return f"{url.path}?{url.query}"
