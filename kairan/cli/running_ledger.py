"""The ledger and the audit of a running stack, asked of its metrics service by its own token."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.link import page_url
from kairan.year.judged import Judged
from shared.clock import JST
from shared.web.tokens import ensure_keys, issue

TIMEOUT_S = 30.0
TOKEN_LASTS_S = 120.0
NOT_BEGUN = date(1970, 1, 1)
DIRECT = build_opener(ProxyHandler({}))  # as the other commands ask: a proxy knows nothing of this machine's ports


class Running:
    """The metrics service of the stack in a home. Raises `StackError` where none runs."""

    def __init__(self, home: Home) -> None:
        try:
            self._url = page_url(home)
        except StackError as error:
            raise StackError(f"{error}; or give --joins FILE and --publications FILE, or --streams DIR") from None
        self._token = issue(ensure_keys(home.keys), "operator", ["growth:read"], TOKEN_LASTS_S)

    def ledger(self) -> Judged:
        """With the joins of its days. Raises `StackError`."""
        answer = self.read("/v1/ledger")
        days = self.read("/v1/joins?by=day")["rows"]
        first = _day(days[0]["from"]) if days else NOT_BEGUN
        titles = {row["id"]: (row.get("title") or {}).get("en") or row["id"] for row in answer["publications"]}
        return Judged(answer, titles, first, [row["joins"] for row in days])

    def audit(self) -> Judged:
        """Without titles and days. Raises `StackError`."""
        found = self.read("/v1/audit")
        return Judged({**found, "audit": found}, {}, NOT_BEGUN, [])

    def read(self, path: str) -> Mapping[str, Any]:
        """What metrics answers. Raises `StackError`."""
        request = Request(self._url + path, headers={"Authorization": f"Bearer {self._token}"})
        try:
            with DIRECT.open(request, timeout=TIMEOUT_S) as answer:
                found: Mapping[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                raise StackError(f"metrics answered {error.code} to GET {path}; see `kairan status`") from None
        except (OSError, ValueError) as error:
            raise StackError(f"metrics at {self._url} does not answer ({error}); see `kairan status`") from None
        return found


def _day(text: str) -> date:
    return datetime.fromisoformat(text).astimezone(JST).date()
