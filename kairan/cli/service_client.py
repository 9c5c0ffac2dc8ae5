"""A service of the running stack, asked by the home's own token."""

import json
from collections.abc import Collection, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.link import service_url
from shared.web.tokens import ensure_keys, issue

TIMEOUT_S = 30.0
TOKEN_LASTS_S = 120.0
DIRECT = build_opener(ProxyHandler({}))  # a proxy from the environment knows nothing of this machine's ports


class ServiceClient:
    """One service (`metrics`, `notify`) of the stack in a home; blocks. Raises `StackError` where none runs.

    Every method raises `StackError`: with the service's own words where it refuses, else that it does not answer.
    """

    def __init__(self, home: Home, role: str, scopes: Collection[str]) -> None:
        self._role, self._scopes, self._url = role, scopes, service_url(home, role)
        self._key = ensure_keys(home.keys)

    def get(self, path: str) -> Mapping[str, Any]:
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        return self._ask("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._ask("PATCH", path, body)

    def delete(self, path: str) -> Mapping[str, Any]:
        return self._ask("DELETE", path, None)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Mapping[str, Any]:
        token = issue(self._key, "operator", self._scopes, TOKEN_LASTS_S)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        try:
            with DIRECT.open(Request(self._url + path, data, headers, method=method), timeout=TIMEOUT_S) as answer:
                found: Mapping[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                why = f"; {said}" if (said := _problem(error)) else ""
                raise StackError(f"{self._role} answered {error.code} to {method} {path}{why}") from None
        except (OSError, ValueError) as error:
            raise StackError(f"{self._role} at {self._url} does not answer ({error}); see `kairan status`") from None
        return found


def _problem(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return "see `kairan status`"
