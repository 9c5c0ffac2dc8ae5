"""`kairan endpoints test|dry-run|verify|audit`: try an endpoint out, and see who changed it."""

from typing import Annotated, Any

import typer

from kairan.cli import endpoints_text
from kairan.cli.endpoints_service import FilterOption, IdArgument, notify, place, read_filter
from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json


def send_test(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Send a test event to this endpoint alone, through its own lane and log; print the delivery's id."""
    sent = notify(home).post(place(endpoint_id, "/test"))
    if as_json:
        print_json(sent)
    else:
        print(f"sent {sent['delivery_id']} as number {sent['sequence']}")


def dry_run(
    endpoint_id: IdArgument,
    event_type: Annotated[
        list[str] | None, typer.Option(help="Try these names or patterns instead of the endpoint's own.")
    ] = None,
    condition: FilterOption = None,
    no_filter: Annotated[bool, typer.Option("--no-filter", help="Try without any filter.")] = False,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Say which of the last 100 events would have come, and why not the others; nothing is sent or changed."""
    body: dict[str, Any] = {"event_types": event_type} if event_type else {}
    if no_filter:
        body["filter"] = None
    elif condition is not None:
        body["filter"] = read_filter(condition)
    found = notify(home).post(place(endpoint_id, "/dry-run"), body)
    if as_json:
        print_json(found)
        return
    for event in found["events"]:
        print(endpoints_text.tried(event))
    print(f"{found['matched']} of the last {found['looked_at']} events")


def verify(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Ask the receiver a challenge; an endpoint that waited for it is active once it has answered."""
    found = notify(home).post(place(endpoint_id, "/verify"))
    if as_json:
        print_json(found)
    else:
        print(f"verified {found['id']}")


def audit(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Print who changed what of an endpoint, newest first; also of a deleted one."""
    lines = notify(home).get(place(endpoint_id, "/audit"))["lines"]
    if as_json:
        print_json(lines)
        return
    for entry in lines:
        print(endpoints_text.changed(entry))
