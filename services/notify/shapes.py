"""Which fields of a wish for an endpoint belong together, for its JSON Schema: what pydantic's own cannot say."""

from typing import Any


def shaped(schema: dict[str, Any]) -> None:
    """Adds the alternatives: a webhook says its events, a chat may leave that to us and never has real ids."""
    listed = next(one for one in schema["properties"]["event_types"]["anyOf"] if one["type"] == "array")
    webhook = {"kind": {"const": "webhook"}, "event_types": listed}
    chat = {"kind": {"enum": ["slack", "teams", "discord", "apprise"]}, "identifiers": {"const": "pairwise"}}
    schema["anyOf"] = [
        {"required": ["event_types"], "properties": webhook},
        {"required": ["kind"], "properties": chat},
    ]
