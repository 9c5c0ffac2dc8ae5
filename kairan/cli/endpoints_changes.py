"""`kairan endpoints list|show|create|update|pause|resume|delete|rotate`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from kairan.cli import endpoints_text
from kairan.cli.endpoints_service import TRUSTED, FilterOption, IdArgument, notify, place, read_filter
from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.errors import BadSetting

DescriptionOption = Annotated[str | None, typer.Option(help="Shown to you, never sent.")]
OrderedOption = Annotated[
    bool | None, typer.Option("--ordered/--unordered", help="One after another about one subject, or as they can.")
]
InFlightOption = Annotated[int | None, typer.Option(help="Requests at a time, 1 to 64.")]
PerMinuteOption = Annotated[int | None, typer.Option(help="At most so many requests a minute.")]
ExpiresOption = Annotated[
    list[str] | None,
    typer.Option("--expires-after", metavar="PATTERN=S", help="How many seconds such events are worth sending."),
]
DisclosureOption = Annotated[
    list[str] | None,
    typer.Option(metavar="FIELD=TEXT", help="With real ids: legal_basis, recipient, country and purpose, each once."),
]
SignatureOption = Annotated[str | None, typer.Option(help="v1 (HMAC-SHA256) or v1a (Ed25519).")]
SecretFileOption = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="A file with your own secret instead of a new one.")
]


def list_endpoints(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """List all endpoints, without their secrets: id, state, URL, event types."""
    found = notify(home).get("/v1/endpoints")["endpoints"]
    if as_json:
        print_json(found)
        return
    for endpoint in found:
        print(endpoints_text.line(endpoint))
    if not found:
        print("no endpoints")


def show(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Show one endpoint, without its secret."""
    _say(notify(home).get(place(endpoint_id)), as_json)


def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to POST: https, to a public address.")],
    event_types: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[EVENT_TYPE]...", help="Names or patterns: member-joined, session-*; a chat needs none."
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help="webhook; or slack, teams, discord, apprise: sentences, unsigned.")
    ] = "webhook",
    language: Annotated[str | None, typer.Option(help="Of a chat's sentences: ja or en.")] = None,
    condition: FilterOption = None,
    description: DescriptionOption = None,
    identifiers: Annotated[str, typer.Option(help="pairwise, or real: people's ids as on the bus.")] = "pairwise",
    disclosure: DisclosureOption = None,
    ordered: OrderedOption = None,
    in_flight: InFlightOption = None,
    per_minute: PerMinuteOption = None,
    expires_after: ExpiresOption = None,
    signature: SignatureOption = None,
    secret_file: SecretFileOption = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Make an endpoint and print its secret, which no other answer shows."""
    given = {"event_types": event_types, "language": language, "disclosure": _named(disclosure)}
    body = {
        "url": url,
        "kind": kind,
        "identifiers": identifiers,
        **{name: value for name, value in given.items() if value},
        **_said(condition, description, ordered, in_flight, per_minute, expires_after),
        **_keyed(signature, secret_file),
    }
    more = (TRUSTED,) if identifiers == "real" else ()
    _say(notify(home, *more).post("/v1/endpoints", body), as_json)


def update(
    endpoint_id: IdArgument,
    url: Annotated[str | None, typer.Option(help="Where to POST from now on.")] = None,
    event_type: Annotated[
        list[str] | None, typer.Option(help="Which events from now on; once for each name or pattern.")
    ] = None,
    condition: FilterOption = None,
    description: DescriptionOption = None,
    ordered: OrderedOption = None,
    in_flight: InFlightOption = None,
    per_minute: PerMinuteOption = None,
    expires_after: ExpiresOption = None,
    reset: Annotated[
        list[str] | None, typer.Option(metavar="FIELD", help="Set a field's default again, e.g. filter, per_minute.")
    ] = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Change what is named and nothing else."""
    body: dict[str, Any] = _said(condition, description, ordered, in_flight, per_minute, expires_after)
    body |= {name: value for name, value in (("url", url), ("event_types", event_type)) if value}
    body |= dict.fromkeys(reset or ())
    if not body:
        raise BadSetting("nothing is named that should change; see --help")
    client = notify(home)
    client.patch(place(endpoint_id), body)
    _say(client.get(place(endpoint_id)), as_json)


def pause(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Let deliveries wait."""
    _done(notify(home).post(place(endpoint_id, "/pause")), "paused", as_json)


def resume(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Deliver again, after a pause or after the endpoint was disabled."""
    _done(notify(home).post(place(endpoint_id, "/resume")), "resumed", as_json)


def delete(endpoint_id: IdArgument, home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Delete an endpoint: what waits for it is dropped, its secrets are forgotten."""
    _done(notify(home).delete(place(endpoint_id)), "deleted", as_json)


def rotate(
    endpoint_id: IdArgument,
    overlap_s: Annotated[
        float, typer.Option(min=0, help="How long the former secrets sign beside the new one, at most.")
    ] = 86_400,
    signature: SignatureOption = None,
    secret_file: SecretFileOption = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Sign with another secret from now on, and print it; no other answer shows it."""
    body = {"overlap_s": overlap_s, **_keyed(signature, secret_file)}
    _say(notify(home).post(place(endpoint_id, "/rotate"), body), as_json)


def _said(
    condition: str | None,
    description: str | None,
    ordered: bool | None,
    in_flight: int | None,
    per_minute: int | None,
    expires_after: Sequence[str] | None,
) -> dict[str, Any]:
    """What was said of these, in the words of the API."""
    said = {
        "filter": read_filter(condition) if condition is not None else None,
        "description": description,
        "ordered": ordered,
        "in_flight": in_flight,
        "per_minute": per_minute,
        "expires_after_s": dict(map(_expiry, expires_after)) if expires_after else None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _named(said: Sequence[str] | None) -> dict[str, str]:
    """Of FIELD=TEXT, … Raises BadSetting."""
    parts = [one.partition("=") for one in said or ()]
    if not all(equals for _, equals, _ in parts):
        raise BadSetting("--disclosure: give FIELD=TEXT, e.g. --disclosure country=JP")
    return {field: text for field, _, text in parts}


def _expiry(said: str) -> tuple[str, float]:
    pattern, _, seconds = said.partition("=")
    try:
        return pattern, float(seconds)
    except ValueError:
        raise BadSetting(f"--expires-after {said}: give PATTERN=SECONDS, e.g. session-*=3600") from None


def _keyed(signature: str | None, secret_file: Path | None) -> dict[str, str]:
    secret = secret_file.read_text(encoding="utf-8").strip() if secret_file else None
    return {name: value for name, value in (("signature", signature), ("secret", secret)) if value}


def _say(answer: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print(endpoints_text.whole(answer))


def _done(answer: Mapping[str, Any], word: str, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print(f"{word} {answer['id']}")
