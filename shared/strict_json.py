"""JSON that every reader would read alike: no key twice in one object, no NaN, no Infinity. Pure."""

import json
from typing import Any


class Ambiguous(ValueError):
    """Two readers could take the text for two things; write it in one way."""


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of the pairs, as `json`'s `object_pairs_hook`. Raises Ambiguous where a key stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Ambiguous("a key stands twice in one object")
    return found


def strict_json(text: str | bytes) -> Any:
    """What the text says. Raises ValueError (Ambiguous is one), and RecursionError for what is nested too deep."""
    return json.loads(text, object_pairs_hook=once, parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise Ambiguous(f"{name} is no number of JSON")
