"""The CloudEvents structured JSON form: one object with attributes and data, as webhooks carry it."""

from typing import Any

from shared.catalogue.envelope import Event
from shared.catalogue.headers import write_time
from shared.catalogue.registry import CATALOGUE


def structured(event: Event) -> dict[str, Any]:
    """The event as one JSON object (`application/cloudevents+json`).

    `alsoversions` stays on the bus: its reader would pass over this event and wait for one that never comes.
    """
    envelope = event.envelope
    entry = CATALOGUE.by_type(envelope.type)
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "subject": envelope.subject,
        "time": write_time(envelope.time),
        "dataschema": entry.dataschema if entry else None,
        "datacontenttype": "application/json" if event.data is not None else None,
        "recordedtime": write_time(envelope.recorded_time),
        "aggregateversion": envelope.aggregate_version,
        "correlationid": envelope.correlation_id,
        "causationid": envelope.causation_id,
        "traceparent": envelope.traceparent,
        "data": event.data.model_dump(mode="json") if event.data is not None else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}
