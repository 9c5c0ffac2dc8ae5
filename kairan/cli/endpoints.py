"""`kairan endpoints`: the webhook endpoints."""

import typer

from kairan.cli.endpoints_check import check

app = typer.Typer()
app.command("check")(check)


@app.callback()
def endpoints() -> None:
    """Webhook endpoints: would an address be accepted, and why not."""
