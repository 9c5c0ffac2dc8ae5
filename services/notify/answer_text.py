"""What a receiver said when it did not take a delivery, as text for the log. Pure."""

import codecs
import re
from typing import Final

_CHARSET: Final = re.compile(r"charset=\"?([A-Za-z0-9_-]{1,20})")
# By name, as Python would also decode what is no charset, some of it in quadratic time.
_CHARSETS: Final = frozenset({"utf-8", "ascii", "iso8859-1", "cp1252", "shift_jis", "cp932", "euc_jp", "iso2022_jp"})


def answer_text(body: bytes, content_type: str) -> str:
    """The bytes as they came, never unpacked, in the charset that they name; what does not fit it is U+FFFD."""
    return body.decode(_charset(content_type), errors="replace") if body else ""


def _charset(content_type: str) -> str:
    named = _CHARSET.search(content_type.lower())
    try:
        known = codecs.lookup(named[1]).name if named else "utf-8"
    except LookupError:
        return "utf-8"
    return known if known in _CHARSETS else "utf-8"
