"""`kairan link`: a new one-time link by which a browser gets in."""

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.home import Home
from kairan.stack.link import page_link, page_url
from shared.web.tokens import ensure_keys


def command(home: HomeOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Print a link to the page that works once, within ten minutes."""
    place = Home(home)
    link = page_link(page_url(place), ensure_keys(place.keys))
    if as_json:
        print_json({"link": link})
    else:
        print(link)
