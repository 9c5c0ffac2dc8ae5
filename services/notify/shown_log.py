"""What an owner is shown of the log: pages, a delivery whole, what is pulled; the models, and how they are filled."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from services.notify.log import Gap, Pulled
from services.notify.log_store import Page
from services.notify.outcome import DeliveryState
from services.notify.shown import AttemptShown, DeliveryShown, attempt_shown, delivery_shown
from shared.store.mongo import Document

Missing = Literal["gone", "withheld"]
_MISSING: Any = Field(
    description="Why there is no payload: `gone` (7 days after the end, or the member was erased), `withheld` (it is "
    "its owner's alone), or null."
)


class DeliveryList(BaseModel):
    """Newest first."""

    deliveries: list[DeliveryShown]
    next: Annotated[str | None, Field(description="Give it as `after` to go on; null at the end.")]
    partial: Annotated[
        bool, Field(description="The look ended before the page was full: more may fit, also when this page is empty.")
    ]


class AttemptWhole(AttemptShown):
    """One request, and the first 16 KiB of what a refusing answer said; not yours to trust: show it as text."""

    answer: str | None


class DeliveryWhole(DeliveryShown):
    """One delivery with all that is kept of it."""

    owner: str
    attempts: list[AttemptWhole]  # type: ignore[assignment]
    payload: Annotated[Any, Field(description="The JSON that is sent, 7 days, for its owner.")]
    payload_missing: Annotated[Missing | None, _MISSING]


class EventPulled(BaseModel):
    """One event for the endpoint, as it is sent to it."""

    model_config = ConfigDict(populate_by_name=True)

    webhook_id: Annotated[str, Field(alias="webhook-id")]
    sequence: int
    event_type: str
    state: DeliveryState
    planned_at: datetime
    payload: Annotated[Any, Field(description="The JSON that is sent.")]
    payload_missing: Annotated[Missing | None, _MISSING]


class GapShown(BaseModel):
    """Numbers that no delivery has, both ends included."""

    first: int
    last: int


class EventsPulled(BaseModel):
    """By rising number."""

    events: list[EventPulled]
    gaps: Annotated[list[GapShown], Field(description="Numbers above `after`, up to `next`, that nothing has.")]
    next: Annotated[int, Field(description="Give it as `after` to go on.")]
    last: Annotated[int, Field(description="The highest number given so far; `next` is there when all was pulled.")]


def page_shown(page: Page) -> dict[str, object]:
    """As a DeliveryList."""
    return {
        "deliveries": [delivery_shown(one) for one in page.found],
        "next": None if page.following is None else str(page.following),
        "partial": page.partial,
    }


def delivery_whole(found: Document) -> dict[str, object]:
    """As a DeliveryWhole."""
    attempts = [{**attempt_shown(one), "answer": one.get("said") or None} for one in found["attempts"]]
    return {**delivery_shown(found), "owner": found.get("owner", ""), "attempts": attempts, **_payload(found)}


def pulled_shown(pulled: Pulled) -> dict[str, object]:
    """As an EventsPulled."""
    return {
        "events": [_event(one) for one in pulled.found],
        "gaps": [_gap(one) for one in pulled.gaps],
        "next": pulled.up_to,
        "last": pulled.last,
    }


def _event(found: Document) -> dict[str, object]:
    given = {name: found[name] for name in ("sequence", "event_type", "state", "planned_at")}
    return {"webhook-id": found["_id"], **given, **_payload(found)}


def _gap(gap: Gap) -> dict[str, int]:
    return {"first": gap.first, "last": gap.last}


def _payload(found: Document) -> dict[str, object]:
    if body := found.get("body"):
        return {"payload": orjson.Fragment(bytes(body)), "payload_missing": None}
    return {"payload": None, "payload_missing": "withheld" if found.get("withheld") else "gone"}
