"""Events about webhook deliveries. The subject is the endpoint's id; such an event never goes to that endpoint."""

from typing import Annotated, Literal

from pydantic import Field

from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, about

DisableReason = Literal["gone", "failing", "owner"]
FailingHours = Literal[1, 24]

_ENDPOINT = "The endpoint; the same as the subject."


class DeliveryExhausted(EventData):
    """An event could not be delivered to an endpoint, and its schedule of attempts has ended."""

    endpoint_id: Annotated[Id, about(_ENDPOINT, names="endpoint")]
    event_type: Annotated[Id, about("The type of the event that was not delivered, e.g. `kairan.member-joined.v1`.")]
    event_id: Annotated[Id, about("The id of the event that was not delivered.", names="event")]
    attempts: Annotated[Annotated[int, Field(ge=1)], about("How often it was tried.", unit="attempts")]
    last_status: Annotated[
        Annotated[int, Field(ge=100, le=599)] | None,
        about("The last answer's HTTP status; null when there was no answer.", unit="HTTP status"),
    ] = None


class EndpointFailing(EventData):
    """An endpoint has answered nothing but failures for an hour, or for a day. It is still tried, now and then."""

    endpoint_id: Annotated[Id, about(_ENDPOINT, names="endpoint")]
    hours: Annotated[FailingHours, about("For how long it has failed: told at 1 and at 24.", unit="hours")]
    event_type: Annotated[Id | None, about("The type of the first event of the row; null when it is not known.")] = None
    event_id: Annotated[
        Id | None, about("The id of the first event of the row; null when it is not known.", names="event")
    ] = None


class EndpointDisabled(EventData):
    """An endpoint receives nothing any more until its owner enables it."""

    endpoint_id: Annotated[Id, about(_ENDPOINT, names="endpoint")]
    reason_code: Annotated[DisableReason, about("`gone`: it answered 410; `failing`: only failures; `owner`: asked.")]
    last_event_type: Annotated[Id | None, about("The type of the last event tried; null when none was.")] = None
    last_event_id: Annotated[Id | None, about("The id of the last event tried; null when none was.", names="event")] = (
        None
    )


def _delivery(name: str, model: type[EventData], summary_en: str, summary_ja: str) -> EventType:
    return EventType(
        name=name,
        version=1,
        topic="kairan.delivery",
        model=model,
        publisher="notify",
        summary_en=summary_en,
        summary_ja=summary_ja,
        subject="endpoint",
    )


TYPES = (
    _delivery("delivery-exhausted", DeliveryExhausted, "A webhook was given up.", "Webhookの配信が断念された。"),
    _delivery("endpoint-failing", EndpointFailing, "An endpoint keeps failing.", "Webhookの宛先で失敗が続いている。"),
    _delivery("endpoint-disabled", EndpointDisabled, "An endpoint was disabled.", "Webhookの宛先が停止された。"),
)
