"""Is this process alive, can it answer, and does its stream flow: three registries of checks and their three pages."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

CHECK_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Check:
    """What a check found; `status` and `detail` (JSON values, never personal) are shown as they are.

    `status` says in a word more than `ok` does, e.g. `standby`; left empty it is `ok` or `failing`.
    """

    ok: bool
    detail: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""

    def as_json(self) -> dict[str, Any]:
        """The check's entry on a health page."""
        return {"status": self.status or ("ok" if self.ok else "failing"), **self.detail}


Finding = Check | bool
Probe = Callable[[], Finding | Awaitable[Finding]]
"""A check: no arguments, sync or async, answers within 2 s; raising or being late is failing."""


class Health:
    """The checks of one process: `live` (restart it if failing), `ready` (send it no requests), `stream` (alert)."""

    def __init__(self) -> None:
        self._probes: dict[str, dict[str, Probe]] = {"live": {}, "ready": {}, "stream": {}}

    def add_live(self, name: str, check: Probe) -> None:
        """Add a check of life: only what a restart of this process would cure."""
        self._add("live", name, check)

    def add_ready(self, name: str, check: Probe) -> None:
        """Add a check of readiness: only what a request to this process needs."""
        self._add("ready", name, check)

    def add_stream(self, name: str, check: Probe) -> None:
        """Add a check of a consumer or of the relay, for alerts."""
        self._add("stream", name, check)

    async def report(self, page: str) -> tuple[bool, dict[str, Any]]:
        """Ask all checks of `live`, `ready` or `stream` at once: whether all are fine, and the JSON of the page."""
        probes = self._probes[page]
        found = await asyncio.gather(*(_ask(probe) for probe in probes.values()))
        fine = all(check.ok for check in found)
        checks = {name: check.as_json() for name, check in zip(probes, found, strict=True)}
        return fine, {"status": "ok" if fine else "failing", "checks": checks}

    def routes(self) -> list[Route]:
        """/health/live, /health/ready and /health/stream: 200 if all is fine, else 503."""
        return [Route(f"/health/{page}", self._page(page), include_in_schema=False) for page in self._probes]

    def _add(self, page: str, name: str, check: Probe) -> None:
        if name in self._probes[page]:
            raise ValueError(f"there is already a {page} check named {name}")
        self._probes[page][name] = check

    def _page(self, page: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(_: Request) -> Response:
            fine, body = await self.report(page)
            headers = {"Cache-Control": "no-store"}
            return Response(orjson.dumps(body, default=str), 200 if fine else 503, headers, "application/json")

        return answer


async def _ask(probe: Probe) -> Check:
    try:
        found = probe()
        if inspect.isawaitable(found):
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                found = await found
    except TimeoutError:
        return Check(False, {"why": f"no answer within {CHECK_TIMEOUT_S:.0f} s"})
    except Exception as error:
        return Check(False, {"why": type(error).__name__})
    return found if isinstance(found, Check) else Check(found)
