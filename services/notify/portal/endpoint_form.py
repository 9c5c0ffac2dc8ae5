"""The form of an endpoint: what was typed, as the API's own body, and what an endpoint has, as text to type over."""

import json
from collections.abc import Mapping
from typing import Any, Final

from services.notify.portal.visit import Visit
from shared.strict_json import strict_json

_FIELDS: Final = (
    "url", "event_types", "description", "ordered", "in_flight", "per_minute", "filter", "kind", "language",
    "signature",
)  # fmt: skip


def typed(visit: Visit) -> dict[str, str]:
    """The fields as they were typed, to be shown again."""
    return {name: visit.said(name) for name in _FIELDS}


def wish(visit: Visit) -> dict[str, Any]:
    """As the API's body. What cannot be read stays text, so that the body's own rules refuse it by its field."""
    return {
        "url": visit.said("url"),
        "event_types": visit.said("event_types").replace(",", " ").split(),
        "description": visit.said("description"),
        "ordered": visit.said("ordered") == "yes",
        "in_flight": _number(visit.said("in_flight")),
        "per_minute": _number(visit.said("per_minute")),
        "filter": parsed(visit.said("filter")),
    }


def text_of(endpoint: Mapping[str, Any]) -> dict[str, str]:
    """What an endpoint has, as it would be typed."""
    return {
        "url": endpoint["url"],
        "event_types": " ".join(endpoint["event_types"]),
        "description": endpoint["description"],
        "ordered": "yes" if endpoint["ordered"] else "",
        "in_flight": str(endpoint["in_flight"] or ""),
        "per_minute": str(endpoint["per_minute"] or ""),
        "filter": json.dumps(endpoint["filter"], ensure_ascii=False) if endpoint["filter"] else "",
    }


def parsed(text: str) -> Any:
    """A condition in JSON; None for nothing. Text that is no JSON, or could be read in two ways, stays text."""
    if not text:
        return None
    try:
        return strict_json(text)
    except (ValueError, RecursionError):
        return text


def _number(text: str) -> int | str | None:
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text
