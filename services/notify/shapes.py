"""Which fields of a wish for an endpoint belong together, for its JSON Schema: what pydantic's own cannot say."""

from typing import Any


def shaped(schema: dict[str, Any]) -> None:
    """Adds the alternatives: a webhook says its events, a chat may leave that to us; real ids need a disclosure."""
    listed = next(one for one in schema["properties"]["event_types"]["anyOf"] if one["type"] == "array")
    declared = next(one for one in schema["properties"]["disclosure"]["anyOf"] if one.get("type") != "null")
    webhook = {"kind": {"const": "webhook"}, "event_types": listed}
    pairwise = {**webhook, "identifiers": {"const": "pairwise"}}
    real = {**webhook, "identifiers": {"const": "real"}, "disclosure": declared}
    chat = {
        "kind": {"enum": ["slack", "teams", "discord", "apprise"]},
        "identifiers": {"const": "pairwise"},
        "secret": {"type": "null"},
        "signature": {"type": "null"},
    }
    schema["anyOf"] = [
        {"required": ["event_types"], "properties": pairwise},
        {"required": ["event_types", "identifiers", "disclosure"], "properties": real},
        {"required": ["kind"], "properties": chat},
    ]
