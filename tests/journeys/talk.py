"""How a visitor talks to a stack: HTTP with a token of the right scopes, and patience until something is so."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from kairan.stack.stack import Stack

T = TypeVar("T")
PATIENCE_S = 120.0


class Visitor:
    """Asks the services of a stack. An answer above 299 fails the test with its problem, unless it is `expected`."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self.stack = stack
        self.http = http

    async def ask(self, method: str, service: str, path: str, *scopes: str, expected: int = 0, **what: Any) -> Any:
        """The JSON of the answer."""
        headers = {"Authorization": f"Bearer {self.stack.token(*scopes)}"} | what.pop("headers", {})
        answer = await self.http.request(method, self.stack.urls[service] + path, headers=headers, **what)
        fine = answer.status_code == expected if expected else answer.is_success
        assert fine, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def join(self, **said: Any) -> str:
        """Somebody joins; returns the new member's id."""
        body = {"source": "search", **said}
        answer = await self.ask("POST", "membership", "/v1/members", "members:write", "history:write", json=body)
        return str(answer["id"])


async def until(look: Callable[[], Awaitable[T]], enough: Callable[[T], object], patience_s: float = PATIENCE_S) -> T:
    """What `look` finds once it is enough; fails with what it found last."""
    deadline = time.monotonic() + patience_s
    while not enough(found := await look()):
        assert time.monotonic() < deadline, f"not within {patience_s:g} s; the last was {found!r:.2000}"
        await asyncio.sleep(0.05)
    return found
