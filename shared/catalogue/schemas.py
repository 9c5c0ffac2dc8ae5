"""JSON Schema (draft 2020-12) of the events' data, from the models."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from shared.catalogue.event_type import EventType

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Without the titles that pydantic makes from field names: they say nothing and bury what does."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema(entry: EventType) -> JsonSchema:
    """The schema of one event's data: `unit` and `x-class` (personal-data class) stand at every field that has them."""
    schema = entry.model.model_json_schema(schema_generator=_Untitled)
    schema.pop("title")
    return {"$schema": DIALECT, "$id": entry.dataschema, "title": entry.type, **schema}


def component_schemas(entry: EventType) -> dict[str, JsonSchema]:
    """The data's schema and what it refers to, named and linked as the components of one larger document."""
    schema = entry.model.model_json_schema(schema_generator=_Untitled, ref_template="#/components/schemas/{model}")
    parts: dict[str, JsonSchema] = schema.pop("$defs", {})
    return {f"{entry.name}.v{entry.version}": schema, **parts}
