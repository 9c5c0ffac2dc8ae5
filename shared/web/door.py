"""The door of pages: a one-time link becomes a session and its cookie."""

from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from shared.web.sessions import SESSION_S, Sessions
from shared.web.tokens import LinkRefused, verify_link


@dataclass(frozen=True)
class Door:
    """Opens with links of `audience` by the keys in `jwks`, to the page `inside`; the cookie is sent under `path`."""

    sessions: Sessions
    jwks: Path | None
    audience: str
    cookie: str
    path: str
    inside: str

    async def enter(self, request: Request) -> Response:
        """Spends the link's `code`. Raises LinkRefused for one that is late or not ours, LinkSpent for a used one."""
        if self.jwks is None:
            raise LinkRefused("no keys of our own")
        value = await self.sessions.open(verify_link(self.jwks, request.query_params.get("code", ""), self.audience))
        answer = RedirectResponse(self.inside, 303, headers=_FORGOTTEN)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            self.cookie, value, max_age=SESSION_S, path=self.path, httponly=True, samesite="strict", secure=secure
        )
        return answer

    async def leave(self, request: Request, to: str) -> Response:
        """Ends the session of the cookie."""
        await self.sessions.close(request.cookies.get(self.cookie, ""))
        answer = RedirectResponse(to, 303, headers=_FORGOTTEN)
        answer.delete_cookie(self.cookie, path=self.path)
        return answer


_FORGOTTEN = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
