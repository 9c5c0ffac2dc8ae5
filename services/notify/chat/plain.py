"""Other people's text made fit to stand in a sentence: one line, nothing invisible, of bounded length. Pure."""

import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 200
_MOST_MARKS: Final = 2
_SPACES: Final = frozenset({"Zl", "Zp", "Zs", "Cc"})
_INVISIBLE: Final = frozenset({"Cf", "Cs", "Co", "Cn"})


def plain(text: str) -> str:
    """The text on one line, without control, bidirectional and other invisible characters, at most 200 characters.

    A pile of combining marks is cut to two: it would run into the lines of others.
    """
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if category in _SPACES:
            kept.append(" ")
        elif category not in _INVISIBLE and marks <= _MOST_MARKS:
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1].rstrip() + "…"
