"""The readable catalogue: one section per event with its meaning, its fields and an example."""

import json
from collections.abc import Mapping
from typing import Any

from shared.catalogue.channels import CHANNELS
from shared.catalogue.event_type import EventType
from shared.catalogue.registry import CATALOGUE
from shared.catalogue.reserved import RESERVED
from shared.catalogue.schemas import JsonSchema, json_schema

_INTRODUCTION = """\
# The events

Generated from `shared/catalogue/` by `make generate`; do not edit. How an event changes: [evolution](../evolution.md).

CloudEvents 1.0 on Kafka in binary mode: the record's value is the data as JSON, its headers are the attributes
(`ce_id`, `ce_type`, `ce_time`, ...), its key is the subject. Order is promised per key only. The same event may come
twice, under the same `ce_source` and `ce_id`. Readers ignore unknown types and unknown fields.

`ce_time` is when it happened, `ce_recordedtime` when it was recorded; neither is repeated in the data.
`ce_aggregateversion` counts the events of one subject, from 1.

Personal-data class of a field: `none` says nothing about a person, `person_id` is a person's random id, `personal`
could single a person out (such fields travel only on the compacted topic that an erase empties).
"""


def catalogue_page(examples: Mapping[str, Mapping[str, Any]]) -> str:
    """The page in Markdown. `examples` holds golden messages (`headers`, `value`) by `<name>.v<N>`."""
    parts = [_INTRODUCTION, _contents()]
    parts += [_section(entry, examples.get(f"{entry.name}.v{entry.version}")) for entry in CATALOGUE.types]
    parts.append("## Reserved names\n\n" + ", ".join(f"`{name}`" for name in sorted(RESERVED)) + "\n")
    return "\n".join(parts)


def _contents() -> str:
    rows = ["| topic | partitions | events |", "|---|---|---|"]
    for channel in CHANNELS:
        names = [f"[{entry.name}](#{_anchor(entry)})" for entry in CATALOGUE.types if entry.topic == channel.topic]
        kept = ", compacted" if channel.compacted else ""
        rows.append(f"| `{channel.topic}` | {channel.partitions}{kept} | {', '.join(names)} |")
    return "\n".join(rows) + "\n"


def _heading(entry: EventType) -> str:
    return f"{entry.name} v{entry.version}"


def _anchor(entry: EventType) -> str:
    return _heading(entry).replace(" ", "-")


def _section(entry: EventType, example: Mapping[str, Any] | None) -> str:
    schema = json_schema(entry)
    personal = " (personal data: `person_id`)" if entry.subject_is_person else ""
    lines = [
        f"## {_heading(entry)}",
        "",
        f"{entry.summary_ja} {schema['description']}",
        "",
        f"Type `{entry.type}` · topic `{entry.topic}` · key: the {entry.subject}'s id{personal}"
        f" · published by {entry.publisher} · [JSON Schema](schemas/{entry.name}.v{entry.version}.json)",
        "",
        "| field | values | unit | required | personal data | meaning |",
        "|---|---|---|---|---|---|",
        *_rows("", schema, schema),
        "",
    ]
    if entry.tombstones:
        lines += ["A record without a value (tombstone) says: nothing of this is kept any more.", ""]
    if example is not None:
        headers = [f"{name}: {text}" for name, text in example["headers"].items()]
        lines += ["```", *headers, "", *_pretty(example["value"]), "```", ""]
    return "\n".join(lines)


def _pretty(value: str | None) -> list[str]:
    if value is None:
        return ["(no value)"]
    return json.dumps(json.loads(value), ensure_ascii=False, indent=2).splitlines()


def _rows(path: str, part: JsonSchema, root: JsonSchema) -> list[str]:
    rows = []
    required = part.get("required", ())
    for name, field in part.get("properties", {}).items():
        rows.append(
            f"| `{path}{name}` | {_values(field)} | {field.get('unit', '')} | {'yes' if name in required else 'no'} "
            f"| {field.get('x-class', '')} | {field.get('description', '')} |"
        )
        for nested in _references(field):
            rows += _rows(f"{path}{name}.", root["$defs"][nested], root)
    return rows


def _references(field: JsonSchema) -> list[str]:
    choices = [field, *field.get("anyOf", ())]
    return [choice["$ref"].rpartition("/")[2] for choice in choices if "$ref" in choice]


def _values(field: JsonSchema) -> str:
    if "anyOf" in field:
        return " or ".join(_values(choice) for choice in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "$ref" in field:
        return "object"
    if field.get("type") == "array":
        return f"list of {_values(field['items'])}"
    if field.get("format") == "date-time":
        return "time"
    return "id" if "pattern" in field else _bounded(field)


def _bounded(field: JsonSchema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None:
        return f"{field['type']} {low} to {high}" if high is not None else f"{field['type']} from {low}"
    if "maxLength" in field:
        return f"text, at most {field['maxLength']} characters"
    return str(field.get("type", ""))
