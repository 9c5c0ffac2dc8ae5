"""The event that an owner sends to an endpoint to try it: to this endpoint alone, and marked. Pure."""

from typing import Final

import orjson

from services.notify.chat.telling import test_body
from services.notify.endpoint import Endpoint
from services.notify.planning import Planned
from shared.catalogue.headers import write_time
from shared.clock import moment_of

TYPE: Final = "kairan.endpoint-test.v1"
SOURCE: Final = "/kairan/notify"


def sample(endpoint: Endpoint, event_id: str, now_ms: int) -> Planned:
    """A delivery as any other: signed, numbered, retried and logged; neither filter nor event types are asked."""
    now = write_time(moment_of(now_ms))
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE,
        "type": TYPE,
        "subject": endpoint.id,
        "time": now,
        "recordedtime": now,
        "datacontenttype": "application/json",
        "data": {"endpoint_id": endpoint.id, "test": True},
    }
    return Planned(
        id=endpoint.pseudonyms.delivery(SOURCE, event_id),
        endpoint=endpoint,
        event_type=TYPE,
        event_id=event_id,
        people=(),
        recorded_ms=now_ms,
        body=test_body(endpoint) if endpoint.is_chat else orjson.dumps(event),
    )
