"""Which deliveries are to be sent again: what a client may say, and the same in the words of the collection. Pure."""

from typing import Annotated, Any, Final

import orjson
from pydantic import BeforeValidator, ConfigDict, Field

from services.notify.domain import MAX_PATTERNS
from services.notify.outcome import DeliveryState
from services.notify.question import STATUS, Question, types_like
from services.notify.requests import Pattern
from shared.requests import Moment, RequestBody

MOST_NUMBER: Final = 2**53


def _whole(value: object) -> object:
    """JSON Schema counts 3.0 as an integer, so it is one here too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[int, Field(ge=0, le=MOST_NUMBER), BeforeValidator(_whole)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=MAX_PATTERNS)]


class OneDelivery(RequestBody):
    """One delivery."""

    delivery_id: Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$", description="The `webhook-id`.")]


class Chosen(RequestBody):
    """All of the endpoint's deliveries that fit everything which is said; with nothing said, all."""

    model_config = ConfigDict(populate_by_name=True)

    state: Annotated[DeliveryState | None, Field(description="Only those in this state.")] = None
    event_types: Annotated[Patterns | None, Field(description="Only of these events: names or patterns.")] = None
    status: Annotated[
        str | None, Field(pattern=STATUS, description="Only those with an attempt answered so: `500`, `5xx`.")
    ] = None
    start: Annotated[Moment | None, Field(alias="from", description="Planned at this moment or later.")] = None
    end: Annotated[Moment | None, Field(alias="to", description="Planned before this moment.")] = None
    since_sequence: Annotated[Number | None, Field(description="This number and all above it.")] = None


class Stretch(RequestBody):
    """A stretch of the log."""

    model_config = ConfigDict(populate_by_name=True)

    start: Annotated[Moment, Field(alias="from", description="Recorded at this moment or later.")]
    end: Annotated[Moment | None, Field(alias="to", description="Recorded before this moment; now where left out.")] = (
        None
    )


class History(RequestBody):
    """What the bus recorded and the endpoint has no delivery of: before its creation, or deleted since."""

    history: Stretch
    event_types: Annotated[
        Patterns | None, Field(description="Only these of the endpoint's events: names or patterns.")
    ] = None


Selection = OneDelivery | Chosen | History


def kind_of(said: dict[str, Any]) -> type[OneDelivery] | type[Chosen] | type[History]:
    """The form that somebody meant, so that an error speaks of that form alone."""
    if "delivery_id" in said:
        return OneDelivery
    return History if "history" in said else Chosen


def canonical(selection: Selection) -> dict[str, Any]:
    """The selection as JSON that is the same whenever the same was meant; `read` reads it."""
    found: dict[str, Any] = selection.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def read(said: dict[str, Any]) -> Selection:
    """What `canonical` wrote."""
    return kind_of(said).model_validate_json(orjson.dumps(said))


def conditions(selection: OneDelivery | Chosen) -> dict[str, Any]:
    """What a delivery of the endpoint has to be; the numbers, which are walked along, apart."""
    if isinstance(selection, OneDelivery):
        return {"_id": selection.delivery_id}
    question = Question(state=selection.state, status=selection.status, start=selection.start, end=selection.end)
    wanted = {**question.conditions(), **({"marks": question.mark} if question.mark else {})}
    if selection.start or selection.end:
        wanted["planned_at"] = question.times()
    if selection.event_types is not None:
        wanted["event_type"] = {"$in": sorted({one for each in selection.event_types for one in types_like(each)})}
    return wanted


def first_number(selection: OneDelivery | Chosen) -> int:
    """Below it no number fits."""
    return (selection.since_sequence or 0) if isinstance(selection, Chosen) else 0
