"""`kairan token`: a bearer token signed by the home's own key."""

from typing import Annotated

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.errors import BadSetting
from kairan.stack.home import Home
from shared.web.scopes import SCOPES
from shared.web.tokens import KEY_FILE, ensure_keys, issue


def command(
    scope: Annotated[list[str], typer.Option(help="What the token allows: one scope, or several in a row.")],
    more: Annotated[list[str] | None, typer.Argument(metavar="[SCOPE]...", help="Further scopes.")] = None,
    expires_in: Annotated[float, typer.Option(min=1, help="Seconds until it expires.")] = 3600,
    subject: Annotated[str, typer.Option(help="Whose token it is; idempotency keys count per subject.")] = "operator",
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Print the token alone on stdout. The stack need not run; the key is made when there is none."""
    scopes = [name for words in (*scope, *(more or ())) for name in words.replace(",", " ").split()]
    unknown = [name for name in scopes if name not in SCOPES]
    if unknown or not scopes:
        wrong = f"there is no scope {unknown[0]!r}" if unknown else "no scope is named"
        raise BadSetting(f"{wrong}; there are: {', '.join(SCOPES)}")
    place = Home(home)
    if not (place.keys / KEY_FILE).exists():  # a home that has its key may be read-only
        place.prepare()
    token = issue(ensure_keys(place.keys), subject, scopes, expires_in)
    if as_json:
        print_json({"token": token, "subject": subject, "scopes": sorted(set(scopes)), "expires_in_s": expires_in})
    else:
        print(token)
