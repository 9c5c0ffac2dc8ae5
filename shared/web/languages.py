"""Which language a reader of our pages gets."""

from typing import Literal

Language = Literal["ja", "en"]


def choose(asked: str | None, accept_language: str | None) -> Language:
    """What was asked for (`?lang=`) first, then the browser's wish, then Japanese."""
    if asked in ("ja", "en"):
        return "ja" if asked == "ja" else "en"
    for quality, tag in sorted(_wishes(accept_language or ""), key=lambda wish: -wish[0]):
        if quality > 0 and tag in ("ja", "en"):
            return "ja" if tag == "ja" else "en"
    return "ja"


def _wishes(header: str) -> list[tuple[float, str]]:
    wishes = []
    for part in header[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            wishes.append((float(quality or 1), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return wishes
