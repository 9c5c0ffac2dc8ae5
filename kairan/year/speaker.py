"""A client of the public HTTP APIs that says every command until it is answered, and never twice in effect."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from kairan.stack.errors import StackError

PATIENCE_S = 120.0  # a stack that starts a service again needs seconds
LONGEST_PAUSE_S = 2.0
REQUEST_TIMEOUT_S = 110.0
SCOPES = (
    *("members:write", "history:write", "sessions:write", "archives:write", "clock:write"),
    "growth:read",
)
JSON, CSV = "application/json", "text/csv"


class NotAccepted(StackError):
    """A service refused a command, or did not answer in time; the text says which and why."""


class Speaker:
    """Speaks to the services at `urls` with at most `at_once` requests under way.

    `key_prefix` makes the idempotency keys: the same command said again, even by another run, has its effect once.
    """

    def __init__(self, urls: Mapping[str, str], token: Callable[[], str], key_prefix: str, at_once: int = 48) -> None:
        self._urls, self._token, self._prefix = dict(urls), token, key_prefix
        self._turns = asyncio.Semaphore(at_once)
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._http = aiohttp.ClientSession(
            connector=connector, timeout=timeout, headers={"Authorization": f"Bearer {self._token()}"}
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def say(self, service: str, path: str, body: Mapping[str, Any], key: str) -> str:
        """A command as JSON; returns the id of what it made or changed. Raises `NotAccepted`."""
        answer = await self._ask("POST", service, path, key, json={k: v for k, v in body.items() if v is not None})
        return str(answer["id"])

    async def bring(self, service: str, path: str, table: str, key: str) -> dict[str, Any]:
        """A list as CSV; returns what became of its rows. Raises `NotAccepted`, also when one row was refused."""
        answer = await self._ask("POST", service, path, key, data=table.encode(), content_type=CSV)
        if answer["refused"]:
            first = next(row for row in answer["rows"] if row["status"] != "created")
            raise NotAccepted(f"{service} refused {answer['refused']} rows; line {first['line']}: {first['detail']}")
        return answer

    async def read(self, service: str, path: str) -> dict[str, Any]:
        """What a service shows at `path`. Raises `NotAccepted`."""
        return await self._ask("GET", service, path, None)

    async def _ask(
        self, method: str, service: str, path: str, key: str | None, content_type: str | None = None, **what: Any
    ) -> dict[str, Any]:
        assert self._http is not None, "a speaker is used inside `async with`"
        headers = {"Idempotency-Key": f"{self._prefix}-{key}"} if key else {}
        if content_type:
            headers["Content-Type"] = content_type
        url = self._urls[service] + path
        deadline, pause = time.monotonic() + PATIENCE_S, 0.05
        async with self._turns:
            while True:
                try:
                    async with self._http.request(method, url, headers=headers, **what) as answer:
                        if answer.status < 300:
                            return dict(await answer.json(content_type=None))
                        trouble = f"{answer.status} {(await answer.text())[:500]}"
                        if answer.status < 500 and answer.status != 429:
                            raise NotAccepted(f"{service} refused {method} {path}: {trouble}")
                except (aiohttp.ClientError, TimeoutError, OSError) as error:
                    trouble = f"{type(error).__name__}: {error}"
                if time.monotonic() > deadline:
                    raise NotAccepted(f"{service} did not accept {method} {path} in {PATIENCE_S:g} s: {trouble}")
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
                pause = min(2 * pause, LONGEST_PAUSE_S)
