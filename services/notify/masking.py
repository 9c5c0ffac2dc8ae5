"""A chat's URL as it may be shown: who knows the true one can write into the channel. Pure."""

import re
from typing import Final
from urllib.parse import urlsplit

_SHOWN: Final = 4
# Of a short key four characters would be too much of it.
_LONG_ENOUGH: Final = 8
_LAST_WORD: Final = re.compile(r"[A-Za-z0-9_-]*$")


def masked(url: str) -> str:
    """Scheme, host and the end of the secret: `https://hooks.slack.com/…/abcd`; the end alone tells two apart."""
    parts = urlsplit(url)
    found = _LAST_WORD.search(url.removeprefix(f"{parts.scheme}://{parts.netloc}"))
    last = found[0] if found else ""
    end = f"/{last[-_SHOWN:]}" if len(last) >= _LONG_ENOUGH else ""
    return f"{parts.scheme}://{parts.netloc}/…{end}"
