"""What server-rendered pages have in common: their look, their headers, their static files."""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

LOOK: Final = Path(__file__).parent / "look"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def headers_of_pages(*, scripts: bool = False, forms: bool = False) -> dict[str, str]:
    """Headers of every page: nothing of another host is loaded, nothing is cached; scripts and forms where said."""
    own = {True: "'self'", False: "'none'"}
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        f"script-src {own[scripts]}",
        "img-src 'self'",
        f"connect-src {own[scripts]}",
        "base-uri 'none'",
        f"form-action {own[forms]}",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Vary": "Accept-Language, Cookie",
    }


def templates_in(folder: Path, static: str) -> Environment:
    """The templates of a folder and those of every page; `static` is the path under which its static files are."""
    environment = Environment(
        loader=FileSystemLoader([folder, LOOK]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static
    return environment


def add_static_files(routes: APIRouter, folder: Path, static: str) -> None:
    """Serves the files of a folder, and those of the look, under `static`."""
    for path in sorted([*folder.iterdir(), *LOOK.iterdir()]):
        if path.suffix in _MEDIA_TYPES:
            routes.add_api_route(f"{static}/{path.name}", _static(path), include_in_schema=False)


def wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _static(path: Path) -> Callable[[Request], Awaitable[Response]]:
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=_MEDIA_TYPES[path.suffix])

    return serve
