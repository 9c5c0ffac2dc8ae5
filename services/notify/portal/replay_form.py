"""The form by which a replay is chosen: what was typed, as the API's own selection."""

from typing import Any, Final

from services.notify.portal.search_form import in_japan
from services.notify.portal.visit import Visit
from services.notify.selection import Selection, kind_of

FIELDS: Final = ("source", "delivery_id", "state", "event_types", "status", "from", "to", "since_sequence")
HISTORY: Final = "history"


def typed(visit: Visit) -> dict[str, str]:
    """The fields as they were typed, to be shown again."""
    return {name: visit.asked(name) for name in FIELDS}


def selection(typed: dict[str, str]) -> Selection:
    """What is meant. Raises ValidationError that names the field which cannot be read."""
    words = _words({name: text for name, text in typed.items() if text})
    return kind_of(words).model_validate(words)


def _words(typed: dict[str, str]) -> dict[str, Any]:
    if "delivery_id" in typed:
        return {"delivery_id": typed["delivery_id"]}
    times: dict[str, Any] = {name: in_japan(typed[name]) for name in ("from", "to") if name in typed}
    names = {"event_types": typed["event_types"].replace(",", " ").split()} if "event_types" in typed else {}
    if typed.get("source") == HISTORY:
        return {"history": times, **names}
    plain: dict[str, Any] = {name: typed[name] for name in ("state", "status") if name in typed}
    since = typed.get("since_sequence", "")
    number = {"since_sequence": int(since) if since.isascii() and since.isdigit() else since} if since else {}
    return {**plain, **times, **names, **number}
