"""The notify service as an operator asks it about deliveries, and the options that choose among them."""

from pathlib import Path
from typing import Annotated

import typer

from kairan.cli.service_client import ServiceClient
from kairan.stack.home import Home

SCOPES = ("endpoints:read", "endpoints:write", "endpoints:admin")

StateOption = Annotated[str | None, typer.Option(help="waiting, delivered, exhausted, dropped or expired.")]
StatusOption = Annotated[str | None, typer.Option(help="With an attempt that was answered so: 500, 5xx.")]
ErrorOption = Annotated[str | None, typer.Option(help="With an attempt that failed so: timeout, dns, …")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="Planned at this moment or later: 2026-04-01T09:00:00+09:00.")
]
ToOption = Annotated[str | None, typer.Option("--to", help="Planned before this moment.")]


def notify(home: Path) -> ServiceClient:
    """Raises `StackError` where no stack runs."""
    return ServiceClient(Home(home), "notify", SCOPES)
