"""One AsyncAPI 3.0 document per service: what it sends and hears, on which topics, in which form."""

from functools import cache
from typing import Any

import yaml

from shared.catalogue.channels import CHANNELS, HEARD, SERVICES, Channel
from shared.catalogue.event_type import EventType
from shared.catalogue.registry import CATALOGUE
from shared.catalogue.schemas import component_schemas

Document = dict[str, Any]

_BINDING = "0.5.0"
_ABOUT = {
    "membership": "Who belongs: members and what could single them out.",
    "events": "What happens: sessions, publications and, in a replayed year, the clock.",
    "notify": "Who hears of it: webhook endpoints and deliveries.",
    "metrics": "What it did: joins counted, publications judged. Publishes nothing yet.",
}


@cache
def asyncapi(service: str) -> str:
    """The document of a service (membership, events, notify, metrics) as YAML. Raises KeyError for another."""
    return yaml.safe_dump(document(service), sort_keys=False, allow_unicode=True, width=110)


def document(service: str) -> Document:
    """The same as an object. Raises KeyError for a service that is not known."""
    heard = HEARD[service]
    topics = set(CATALOGUE.topics_of(service)) | set(heard)
    channels = [channel for channel in CHANNELS if channel.topic in topics]
    entries = [entry for entry in CATALOGUE.types if entry.publisher == service or entry.topic in heard]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Kairan {service}",
            "version": "1.0.0",
            "description": f"{_ABOUT[service]} CloudEvents 1.0 on Kafka, binary mode. Readers ignore unknown fields, "
            "unknown types and unknown headers. Order is promised per key only.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "bus": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The Kafka cluster of the installation; `kairan status` prints its address.",
                "variables": {"bootstrap": {"description": "HOST:PORT of a broker", "default": "127.0.0.1:9092"}},
            }
        },
        "channels": {channel.topic: _channel(channel, entries) for channel in channels},
        "operations": _sent(service) | _heard(heard),
        "components": {
            "messages": {_key(entry): _message(entry) for entry in entries},
            "schemas": {"headers": _headers()} | _schemas(entries),
        },
    }


def _key(entry: EventType) -> str:
    return f"{entry.name}.v{entry.version}"


def _channel(channel: Channel, entries: list[EventType]) -> Document:
    return {
        "address": channel.topic,
        "description": channel.says,
        "messages": {
            _key(entry): {"$ref": f"#/components/messages/{_key(entry)}"}
            for entry in entries
            if entry.topic == channel.topic
        },
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": channel.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if channel.compacted else "delete"],
                    "retention.ms": -1,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(action: str, summary: str, topic: str, entries: list[EventType]) -> Document:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/{topic}"},
        "messages": [{"$ref": f"#/channels/{topic}/messages/{_key(entry)}"} for entry in entries],
    }


def _sent(service: str) -> Document:
    return {
        f"send-{_key(entry)}": _operation("send", entry.summary_en, entry.topic, [entry])
        for entry in CATALOGUE.of_service(service)
    }


def _heard(topics: tuple[str, ...]) -> Document:
    return {
        f"receive-{topic}": _operation(
            "receive", f"Hears all of {topic}.", topic, [entry for entry in CATALOGUE.types if entry.topic == topic]
        )
        for topic in topics
    }


def _message(entry: EventType) -> Document:
    tombstone = " A record without a value is a tombstone: everything said before is void." if entry.tombstones else ""
    return {
        "name": entry.type,
        "title": entry.name,
        "summary": entry.summary_en,
        "description": f"{entry.summary_ja}{tombstone}",
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/headers"},
                {
                    "type": "object",
                    "properties": {
                        "ce_type": {"const": entry.type},
                        "ce_source": {"const": f"/kairan/{entry.publisher}"},
                        "ce_dataschema": {"const": entry.dataschema},
                    },
                },
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{_key(entry)}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"The {entry.subject}'s id; the same as ce_subject."},
                "bindingVersion": _BINDING,
            }
        },
    }


def _schemas(entries: list[EventType]) -> Document:
    schemas: Document = {}
    for entry in entries:
        schemas |= component_schemas(entry)
    return schemas


def _headers() -> Document:
    def text(description: str, **more: Any) -> Document:
        return {"type": "string", "description": description, **more}

    return {
        "type": "object",
        "description": "The CloudEvents attributes; every value is UTF-8 text.",
        "required": [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_subject",
            "ce_time",
            "ce_recordedtime",
            "ce_aggregateversion",
        ],
        "properties": {
            "ce_specversion": text("The CloudEvents version.", const="1.0"),
            "ce_id": text("Unique within ce_source; the same whenever the event is repeated."),
            "ce_source": text("The service that says it."),
            "ce_type": text("The event's name and version."),
            "ce_subject": text("The id of what it is about."),
            "ce_time": text("When it happened.", format="date-time"),
            "ce_dataschema": text("The name of the data's schema."),
            "ce_recordedtime": text("When it was recorded.", format="date-time"),
            "ce_aggregateversion": text("Its number within what it is about, from 1.", pattern="^[1-9][0-9]*$"),
            "ce_correlationid": text("What the whole chain of events began with."),
            "ce_causationid": text("The command or event that it follows from."),
            "ce_alsoversions": text(
                "Only while two versions are sent: all of them, e.g. `1,2`, under one ce_id. "
                "A reader takes the highest it knows.",
                pattern="^[1-9][0-9]*(,[1-9][0-9]*)*$",
            ),
            "content-type": text("The form of the value; absent on a tombstone.", const="application/json"),
            "traceparent": text("W3C trace context."),
        },
    }


def all_documents() -> dict[str, str]:
    """Every service's document as YAML."""
    return {service: asyncapi(service) for service in SERVICES}
