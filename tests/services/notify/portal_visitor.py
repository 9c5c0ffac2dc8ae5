"""A visitor of the portal: in by a one-time link, then pages and forms as a browser without scripts sends them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from kairan.cli.link import OPERATOR_SCOPES, OWNER_SCOPES
from kairan.stack.link import portal_link
from shared.web.tokens import ensure_keys
from tests.services.notify.world import World

BASE = "http://notify"
__all__ = ["OPERATOR_SCOPES", "OWNER_SCOPES", "Form", "Visitor", "forms_of", "link_of", "visiting"]


@dataclass
class Form:
    """A form as it stands on a page: where it goes and what it would send if nothing were typed."""

    action: str
    fields: dict[str, str]


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._open: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(said["action"], {}))
        elif not self.found:
            return
        elif tag == "input" and (said.get("type") != "checkbox" or "checked" in said):
            self.found[-1].fields[said["name"]] = said.get("value", "")
        elif tag in ("textarea", "select"):
            self._open = said["name"]
            self.found[-1].fields[self._open] = ""
        elif tag == "option" and "selected" in said and self._open:
            self.found[-1].fields[self._open] = said["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._open = None

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea":
            self.found[-1].fields[self._open] += data


def forms_of(html: str) -> dict[str, Form]:
    """The forms of a page by the last word of where they go."""
    parser = _Forms()
    parser.feed(html)
    return {form.action.rpartition("/")[2]: form for form in parser.found}


@dataclass
class Visitor:
    """What a browser does; `page` is what it shows now."""

    http: httpx.AsyncClient
    page: httpx.Response | None = None

    async def look(self, path: str, status: int = 200) -> str:
        self.page = await self.http.get(path)
        assert self.page.status_code == status, self.page.text
        return self.page.text

    async def press(self, button: str, status: int = 200, **typed: str) -> str:
        """Sends the form that goes to `…/button`, with what is typed, and follows where it leads."""
        assert self.page is not None
        form = forms_of(self.page.text)[button]
        answer = await self.http.post(form.action, data={**form.fields, **typed})
        if answer.status_code == 303:
            answer = await self.http.get(answer.headers["location"])
        self.page = answer
        assert answer.status_code == status, answer.text
        return answer.text

    @property
    def place(self) -> str:
        assert self.page is not None
        return self.page.url.path

    def heading(self) -> str:
        assert self.page is not None
        found = re.search(r"<h1>(.*?)</h1>", self.page.text, re.DOTALL)
        assert found is not None
        return found[1]


def link_of(world: World, subject: str, base: str = BASE) -> str:
    """A one-time link as `kairan link notify` makes it: for the operator, or for an owner."""
    scopes = OPERATOR_SCOPES if subject == "operator" else OWNER_SCOPES
    return portal_link(base, ensure_keys(world.folder), subject, list(scopes))


@asynccontextmanager
async def visiting(
    notify: httpx.AsyncClient, world: World, subject: str, language: str = "en"
) -> AsyncIterator[Visitor]:
    """A browser of its own that came in by a link."""
    headers = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": language}
    transport = notify._transport
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as http:
        entered = await http.get(link_of(world, subject))
        assert (entered.status_code, entered.headers["location"]) == (303, "/portal/endpoints")
        yield Visitor(http)
