"""`kairan link`: a new one-time link by which a browser gets in."""

import os

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.errors import StackError
from kairan.stack.home import Home
from kairan.stack.link import page_link
from kairan.stack.status import read_status
from shared.web.tokens import ensure_keys


def command(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Print a link to the page that works once, within ten minutes."""
    place = Home(home)
    link = page_link(_page_url(place), ensure_keys(place.keys))
    if as_json:
        print_json({"link": link})
    else:
        print(link)


def _page_url(place: Home) -> str:
    """What the operator says, since a proxy or a container's port is nothing that a supervisor knows."""
    if told := os.environ.get("KAIRAN_PAGE_URL"):
        return told.rstrip("/")
    running = read_status(place)
    if not running or "metrics" not in running["urls"]:
        raise StackError(
            f"no stack runs in {place.root}: start it by `kairan up`, name its --home, or set KAIRAN_PAGE_URL"
        )
    return str(running["urls"]["metrics"])
