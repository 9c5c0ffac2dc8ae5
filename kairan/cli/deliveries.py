"""`kairan deliveries`: the log of a running stack's webhooks, read, pulled, skipped and sent again."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from kairan.cli import deliveries_text as text
from kairan.cli.deliveries_replay import replay
from kairan.cli.deliveries_service import ErrorOption, FromOption, StateOption, StatusOption, ToOption, notify
from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.printable import forgive_stdout

app = typer.Typer()
app.command("replay")(replay)

PAGE_MOST = 1000
LOOKS_MOST = 100
DeliveryArgument = Annotated[str, typer.Argument(metavar="ID", help="The delivery's id: the `webhook-id`.")]


@app.callback()
def deliveries() -> None:
    """Webhook deliveries: search the log, pull what an endpoint missed, skip, and send again."""


@app.command("list")
def list_deliveries(
    endpoint: Annotated[str | None, typer.Option(help="Only this endpoint's.")] = None,
    event_type: Annotated[str | None, typer.Option("--type", help="A name or a pattern: 'session-*'.")] = None,
    event_id: Annotated[
        str | None, typer.Option(help="Only of this event, by its id as sent or as it is on the bus.")
    ] = None,
    delivery_id: Annotated[str | None, typer.Option("--id", help="Only this one.")] = None,
    state: StateOption = None,
    status: StatusOption = None,
    error: ErrorOption = None,
    start: FromOption = None,
    end: ToOption = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    after: Annotated[str | None, typer.Option(help="Where an earlier list ended.")] = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, the newest first. Exit 0, also when there are none."""
    asked = {
        "endpoint": endpoint,
        "event_type": event_type,
        "event_id": event_id,
        "delivery_id": delivery_id,
        "state": state,
        "status": status,
        "error": error,
        "from": start,
        "to": end,
    }
    forgive_stdout()
    service = notify(home)
    found: list[Any] = []
    page: Any = {"next": after}
    for _ in range(LOOKS_MOST):
        said = {**asked, "after": page["next"], "limit": min(limit - len(found), PAGE_MOST)}
        page = service.get("/v1/deliveries?" + _query(said))
        found += page["deliveries"]
        if len(found) >= limit or page["next"] is None:
            break
    if as_json:
        print_json({"deliveries": found, "next": page["next"], "partial": page["partial"]})
        return
    for one in found:
        print(text.line(one))
    if page["next"] is not None:
        print(f"more: --after {page['next']}")
    elif not found:
        print("no deliveries")


@app.command("show")
def show(delivery_id: DeliveryArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Show one delivery: every attempt, what was answered, the payload. Exit 1 when there is none."""
    forgive_stdout()
    found = notify(home).get(f"/v1/deliveries/{quote(delivery_id, safe='')}")
    if as_json:
        print_json(found)
        return
    for line in text.whole(found):
        print(line)


@app.command("skip")
def skip(delivery_id: DeliveryArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Give up a delivery that waits, or that holds up those behind it. Exit 1 when it has ended."""
    found = notify(home).post(f"/v1/deliveries/{quote(delivery_id, safe='')}/skip")
    if as_json:
        print_json(found)
    else:
        print(f"{found['id']} {found['state']}")


@app.command("pull")
def pull(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id.")],
    after: Annotated[int, typer.Option(min=0, help="The last number that you have.")] = 0,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Print what an endpoint got or is to get above a number, in order, and the numbers that are missing."""
    forgive_stdout()
    service = notify(home)
    events: list[Any] = []
    gaps: list[Any] = []
    page: Any = {"next": after}
    while True:
        asked = {"endpoint": endpoint, "after": page["next"], "limit": min(limit - len(events), PAGE_MOST)}
        page = service.get("/v1/events?" + _query(asked))
        events += page["events"]
        gaps += page["gaps"]
        if len(events) >= limit or page["next"] >= page["last"]:
            break
    if as_json:
        print_json({"events": events, "gaps": gaps, "next": page["next"], "last": page["last"]})
        return
    for one in events:
        print(text.pulled(one))
    for gap in gaps:
        print(f"missing: {gap['first']} to {gap['last']}")
    print(f"up to {page['next']} of {page['last']}")


def _query(said: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in said.items() if value is not None})
