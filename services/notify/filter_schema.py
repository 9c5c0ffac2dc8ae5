"""A filter's grammar as a JSON Schema, for the OpenAPI document.

It goes two levels deep and shows one leaf inside, because what an operation takes stands there without references.
"""

from typing import Any, Final

from services.notify.filters import BOUNDS, LARGEST_NUMBER, LONGEST_PATH, PATH

_NUMBER: Final[dict[str, Any]] = {"type": "number", "minimum": -LARGEST_NUMBER, "maximum": LARGEST_NUMBER}
_SCALAR: Final[dict[str, Any]] = {"anyOf": [{"type": "string"}, _NUMBER, {"type": "boolean"}, {"type": "null"}]}
_MOMENT: Final[dict[str, Any]] = {
    "type": "string",
    "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
}


def _range_of(bound: dict[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys(BOUNDS, bound)
    return {"type": "object", "properties": names, "minProperties": 1, "additionalProperties": False}


def _only(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_PATH: Final[dict[str, Any]] = {"type": "string", "maxLength": LONGEST_PATH, "pattern": f"^{PATH.pattern}$"}
_TESTS: Final[dict[str, dict[str, Any]]] = {
    "equals": _SCALAR,
    "in": {"type": "array", "items": _SCALAR, "minItems": 1},
    "exists": {"type": "boolean"},
    "prefix": {"type": "string", "minLength": 1},
    "range": {"anyOf": [_range_of(_NUMBER), _range_of(_MOMENT)]},
}
_LEAVES: Final = [_only(path=_PATH, **{name: schema}) for name, schema in _TESTS.items()]
_INSIDE: Final = _only(path=_PATH, exists={"type": "boolean"})
_SEVERAL: Final[dict[str, Any]] = {"type": "array", "items": _INSIDE, "minItems": 1}

FILTER_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [*_LEAVES, _only(all=_SEVERAL), _only(any=_SEVERAL), _only(**{"not": _INSIDE})],
    "example": {"all": [{"path": "data.source", "equals": "publication"}]},
}
