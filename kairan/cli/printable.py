"""Text from strangers, made harmless for a terminal."""

import io
import sys


def printable(text: str) -> str:
    """With escapes in place of what a terminal would obey."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def forgive_stdout() -> None:
    """A name in Japanese must not end a terminal that has none."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
