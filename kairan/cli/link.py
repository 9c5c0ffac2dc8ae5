"""`kairan link`: a new one-time link by which a browser gets in."""

from enum import StrEnum
from typing import Annotated

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.errors import BadSetting
from kairan.stack.home import Home
from kairan.stack.link import page_link, portal_link, service_url
from shared.web.tokens import ensure_keys

OWNER_SCOPES = ("endpoints:read", "endpoints:write")
OPERATOR_SCOPES = (*OWNER_SCOPES, "endpoints:admin")


class Where(StrEnum):
    page = "page"
    notify = "notify"


def command(
    where: Annotated[
        Where, typer.Argument(help="The page of metrics, or the portal of notify (webhooks).")
    ] = Where.page,
    subject: Annotated[
        str, typer.Option(help="With notify: whose endpoints; without it the operator, who sees all.")
    ] = "",
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Print a link to the page (or to the portal of webhooks) that works once, within ten minutes."""
    if subject and where is Where.page:
        raise BadSetting("--subject goes with `kairan link notify` only: the page is the same for everybody")
    place = Home(home)
    if where is Where.page:
        link = page_link(service_url(place, "metrics"), ensure_keys(place.keys))
    else:
        scopes = OWNER_SCOPES if subject else OPERATOR_SCOPES
        link = portal_link(service_url(place, "notify"), ensure_keys(place.keys), subject or "operator", list(scopes))
    if as_json:
        print_json({"link": link})
    else:
        print(link)
