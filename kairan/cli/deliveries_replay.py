"""`kairan deliveries replay`: shows what would be sent again, asks, and follows it to the end."""

import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer

from kairan.cli import deliveries_text as text
from kairan.cli.deliveries_service import FromOption, StateOption, StatusOption, ToOption, notify
from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.service_client import ServiceClient

LOOK_EVERY_S = 0.3
FAILED, USAGE = 1, 2


def replay(
    delivery_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One delivery: the `webhook-id`.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="The endpoint, unless an ID says it.")] = None,
    state: StateOption = None,
    event_types: Annotated[
        list[str] | None, typer.Option("--type", help="Names or patterns; may be said several times.")
    ] = None,
    status: StatusOption = None,
    start: FromOption = None,
    end: ToOption = None,
    since: Annotated[int | None, typer.Option(min=0, help="This sequence number and all above it.")] = None,
    history_from: Annotated[
        str | None,
        typer.Option(help="What the bus recorded from this moment on and the endpoint has no delivery of."),
    ] = None,
    history_to: Annotated[str | None, typer.Option(help="With --history-from: recorded before this moment.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; needed where there is no terminal.")] = False,
    follow: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until all are given out to be sent.")] = True,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Send deliveries again: one, those that fit, or history from the log. Shows what it comes to, and asks.

    Each keeps its `webhook-id` and number. Ctrl-C leaves the replay running.

    Exit 0: all were given out to be sent (or nothing fits); 1: refused, stopped, or you said no; 2: wrong options, or
    no --yes where nobody can be asked.
    """
    chosen = {
        "state": state,
        "event_types": event_types or None,
        "status": status,
        "from": start,
        "to": end,
        "since_sequence": since,
    }
    selection = _selection(delivery_id, chosen, history_from, history_to)
    service = notify(home)
    place = f"/v1/endpoints/{quote(endpoint or _endpoint_of(service, delivery_id), safe='')}/replays"
    seen = service.post(f"{place}/preview", selection)
    if not as_json:
        for line in text.preview(seen):
            print(line, file=sys.stderr)
    if seen["count"]:
        _ask(yes)
    begun = service.post(place, {**selection, "token": seen["token"]}) if seen["count"] else None
    ended = _followed(service, begun) if begun and follow else begun
    if as_json:
        print_json({"preview": {name: value for name, value in seen.items() if name != "token"}, "replay": ended})
    else:
        print(_in_words(ended))
    if ended and ended["state"] == "stopped":
        raise typer.Exit(FAILED)


def _selection(
    delivery_id: str | None, chosen: Mapping[str, Any], history_from: str | None, history_to: str | None
) -> dict[str, Any]:
    said = {name: value for name, value in chosen.items() if value is not None}
    if delivery_id is not None:
        if said or history_from:
            raise _usage("an ID says it all: leave the other choices out")
        return {"delivery_id": delivery_id}
    if history_from is None:
        if history_to is not None:
            raise _usage("--history-to goes with --history-from")
        return said
    if said.keys() - {"event_types"}:
        raise _usage("with --history-from only --type can be chosen")
    return {**said, "history": {"from": history_from, **({"to": history_to} if history_to else {})}}


def _endpoint_of(service: ServiceClient, delivery_id: str | None) -> str:
    if delivery_id is None:
        raise _usage("name an ID, or an --endpoint")
    return str(service.get(f"/v1/deliveries/{quote(delivery_id, safe='')}")["endpoint_id"])


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise _usage("nobody can be asked here: give --yes")
    if not typer.confirm("Send them?", err=True):
        raise typer.Exit(FAILED)


def _followed(service: ServiceClient, begun: Mapping[str, Any]) -> Mapping[str, Any]:
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("giving out", total=begun["total"])
        found = begun
        while found["state"] == "running":
            time.sleep(LOOK_EVERY_S)
            found = service.get(f"/v1/replays/{begun['id']}")
            bar.update(task, completed=found["replayed"] + found["passed_over"])
    return found


def _in_words(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "nothing to send"
    if found["state"] == "running":
        return f"replay {found['id']} runs"
    over = f", {found['passed_over']} passed over" if found["passed_over"] else ""
    why = f" ({found['reason']})" if found["reason"] else ""
    return f"replay {found['id']} {found['state']}{why}: {found['replayed']} sent again{over}"


def _usage(words: str) -> typer.Exit:
    print(f"kairan: {words}", file=sys.stderr)
    return typer.Exit(USAGE)
