"""`kairan endpoints`: the webhook endpoints."""

import typer

from kairan.cli import endpoints_changes, endpoints_trials
from kairan.cli.endpoints_check import check

app = typer.Typer()
app.command("check")(check)
app.command("list")(endpoints_changes.list_endpoints)
app.command("show")(endpoints_changes.show)
app.command("create")(endpoints_changes.create)
app.command("update")(endpoints_changes.update)
app.command("pause")(endpoints_changes.pause)
app.command("resume")(endpoints_changes.resume)
app.command("delete")(endpoints_changes.delete)
app.command("rotate")(endpoints_changes.rotate)
app.command("test")(endpoints_trials.send_test)
app.command("dry-run")(endpoints_trials.dry_run)
app.command("verify")(endpoints_trials.verify)
app.command("audit")(endpoints_trials.audit)


@app.callback()
def endpoints() -> None:
    """Webhook endpoints of the running stack, everybody's; and whether an address would be accepted as one's.

    Exit 0: done; 1: no stack runs, or it refuses, in words on stderr; 2: the command line is wrong.
    """
