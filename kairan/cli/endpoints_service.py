"""The notify service of a running stack, as `kairan endpoints` asks it; and what its commands share."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from kairan.cli.service_client import ServiceClient
from kairan.stack.errors import BadSetting
from kairan.stack.home import Home
from shared.strict_json import strict_json

SCOPES = ("endpoints:read", "endpoints:write", "endpoints:admin")
TRUSTED = "endpoints:trusted"

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The endpoint's id, as `list` shows it.")]
FilterOption = Annotated[
    str | None,
    typer.Option(
        "--filter", metavar="JSON", help='Only such events: {"path": "data.source", "equals": "search"}, or @FILE.'
    ),
]


def notify(home: Path, *more_scopes: str) -> ServiceClient:
    """Raises `StackError` where no stack runs."""
    return ServiceClient(Home(home), "notify", (*SCOPES, *more_scopes))


def place(endpoint_id: str, what: str = "") -> str:
    """The path of an endpoint's operation; an id is a stranger's text."""
    return f"/v1/endpoints/{quote(endpoint_id, safe='')}{what}"


def read_filter(said: str) -> dict[str, Any]:
    """The JSON object that was said or stands in the file. Raises BadSetting."""
    try:
        text = Path(said[1:]).read_text(encoding="utf-8") if said.startswith("@") else said
        found = strict_json(text)
    except OSError as error:
        raise BadSetting(f"--filter: {said[1:]} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadSetting(f"--filter is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadSetting("--filter is no JSON object")
    return found
