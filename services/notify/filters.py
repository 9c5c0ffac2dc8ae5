"""Which events an owner wants by their content: a JSON condition, judged when configured, evaluated at planning. Pure.

A condition is `{"all": […]}`, `{"any": […]}`, `{"not": …}`, or a leaf with a `path` and one of `equals`, `in`,
`exists`, `prefix`, `range`. It is read over the event exactly as the endpoint would get it. Evaluation is linear in the
size of the condition, and never fails: a leaf whose path is missing, or leads to another type, is false.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final, Protocol

import orjson

from shared.requests import rfc_3339

MOST_BYTES: Final = 8 * 1024
MOST_LEAVES: Final = 100
MOST_DEPTH: Final = 16
LARGEST_NUMBER: Final = 2**53 - 1
"""Beyond it, readers of JSON differ about which number a text says."""

PATH: Final = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,15}")
LONGEST_PATH: Final = 200
TESTS: Final = ("equals", "in", "exists", "prefix", "range")
BOUNDS: Final = ("gt", "gte", "lt", "lte")
_GRAMMAR: Final = 'one of {"all": […]}, {"any": […]}, {"not": …}, {"path": "data.source", "equals": …}'
_MISSING: Final = object()
_KINDS: Final[Mapping[type, str]] = {
    int: "number",
    float: "number",
    str: "text",
    bool: "boolean",
    type(None): "null",
}
_OTHER: Final = ("other", None)


class BadFilter(ValueError):
    """The condition is not one; `place` is where, such as `filter.all[1].path`."""

    def __init__(self, place: str, words: str) -> None:
        super().__init__(f"{place}: {words}")
        self.place = place


class Condition(Protocol):
    """A condition that was judged. Neither method raises, whatever the event."""

    def holds(self, event: Mapping[str, Any]) -> bool: ...

    def why_not(self, event: Mapping[str, Any]) -> str:
        """The place of the part that decided, for an event that the condition does not hold for."""


@dataclass(frozen=True, slots=True)
class _All:
    place: str
    parts: tuple[Condition, ...]

    def holds(self, event: Mapping[str, Any]) -> bool:
        return all(part.holds(event) for part in self.parts)

    def why_not(self, event: Mapping[str, Any]) -> str:
        return next(part.why_not(event) for part in self.parts if not part.holds(event))


@dataclass(frozen=True, slots=True)
class _Any:
    place: str
    parts: tuple[Condition, ...]

    def holds(self, event: Mapping[str, Any]) -> bool:
        return any(part.holds(event) for part in self.parts)

    def why_not(self, event: Mapping[str, Any]) -> str:
        return self.place


@dataclass(frozen=True, slots=True)
class _Not:
    place: str
    part: Condition

    def holds(self, event: Mapping[str, Any]) -> bool:
        return not self.part.holds(event)

    def why_not(self, event: Mapping[str, Any]) -> str:
        return self.place


@dataclass(frozen=True, slots=True)
class _Leaf:
    place: str
    path: tuple[str, ...]
    test: Callable[[Any], bool]
    """Is asked of the value, or of _MISSING."""

    def holds(self, event: Mapping[str, Any]) -> bool:
        value: Any = event
        for name in self.path:
            value = value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
        return self.test(value)

    def why_not(self, event: Mapping[str, Any]) -> str:
        return self.place


def compiled(condition: object) -> Condition:
    """The condition, ready to be asked. Raises BadFilter, naming the place, for whatever is not in the grammar."""
    found = _condition(condition, "filter", 1, count(1))
    if len(orjson.dumps(condition)) > MOST_BYTES:
        raise BadFilter("filter", f"longer than {MOST_BYTES} bytes")
    return found


def _condition(said: object, place: str, depth: int, leaves: "count[int]") -> Condition:
    if depth > MOST_DEPTH:
        raise BadFilter(place, f"nested deeper than {MOST_DEPTH}")
    if not isinstance(said, Mapping):
        raise BadFilter(place, f"is no condition; a condition is {_GRAMMAR}")
    if "path" in said:
        if next(leaves) > MOST_LEAVES:
            raise BadFilter(place, f"more than {MOST_LEAVES} conditions with a path")
        return _leaf(said, place)
    if len(said) != 1 or not said.keys() <= {"all", "any", "not"}:
        raise BadFilter(place, f"is no condition; a condition is {_GRAMMAR}")
    ((name, inside),) = said.items()
    place = f"{place}.{name}"
    if name == "not":
        return _Not(place, _condition(inside, place, depth + 1, leaves))
    parts = tuple(
        _condition(part, f"{place}[{n}]", depth + 1, leaves)
        for n, part in enumerate(_list(inside, place, "conditions"))
    )
    return _All(place, parts) if name == "all" else _Any(place, parts)


def _leaf(said: Mapping[str, Any], place: str) -> Condition:
    path = said["path"]
    if not isinstance(path, str) or len(path) > LONGEST_PATH or not PATH.fullmatch(path):
        raise BadFilter(f"{place}.path", f"is no path: 1 to 16 names joined by dots, {LONGEST_PATH} characters at most")
    tests = [name for name in said if name != "path"]
    if len(tests) != 1 or tests[0] not in TESTS:
        raise BadFilter(place, f"beside the path stands exactly one of {', '.join(TESTS)}")
    name = tests[0]
    return _Leaf(place, tuple(path.split(".")), _TESTS[name](said[name], f"{place}.{name}"))


def _equals(said: object, place: str) -> Callable[[Any], bool]:
    wanted = _scalar(said, place)
    return lambda value: _key(value) == wanted


def _in(said: object, place: str) -> Callable[[Any], bool]:
    wanted = frozenset(_scalar(one, f"{place}[{n}]") for n, one in enumerate(_list(said, place, "values")))
    return lambda value: _key(value) in wanted


def _exists(said: object, place: str) -> Callable[[Any], bool]:
    if not isinstance(said, bool):
        raise BadFilter(place, "is neither true nor false")
    return lambda value: (value is not _MISSING) is said


def _prefix(said: object, place: str) -> Callable[[Any], bool]:
    if not isinstance(said, str) or not said:
        raise BadFilter(place, "is no text of a character or more")
    beginning = _text(said, place)
    return lambda value: isinstance(value, str) and value.startswith(beginning)


def _range(said: object, place: str) -> Callable[[Any], bool]:
    if not isinstance(said, Mapping) or not said or not said.keys() <= set(BOUNDS):
        raise BadFilter(place, f"is no range; a range has one or more of {', '.join(BOUNDS)}")
    if all(_is_number(bound) for bound in said.values()):
        return _between({name: _number(bound, f"{place}.{name}") for name, bound in said.items()}, _as_number)
    return _between({name: _moment(bound, f"{place}.{name}") for name, bound in said.items()}, _as_moment)


_TESTS: Final[Mapping[str, Callable[[object, str], Callable[[Any], bool]]]] = {
    "equals": _equals,
    "in": _in,
    "exists": _exists,
    "prefix": _prefix,
    "range": _range,
}
_FITS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def _between(bounds: Mapping[str, Any], read: Callable[[Any], Any]) -> Callable[[Any], bool]:
    tests = tuple((_FITS[name], bound) for name, bound in bounds.items())

    def test(value: Any) -> bool:
        found = read(value)
        return found is not None and all(fits(found, bound) for fits, bound in tests)

    return test


def _list(said: object, place: str, what: str) -> Sequence[Any]:
    if not isinstance(said, list) or not said:
        raise BadFilter(place, f"is no list of one or more {what}")
    return said


def _scalar(said: object, place: str) -> tuple[str, Any]:
    if isinstance(said, str):
        _text(said, place)
    elif _is_number(said):
        _number(said, place)
    elif not (said is None or isinstance(said, bool)):
        raise BadFilter(place, "is no text, number, true, false or null")
    return _key(said)


def _key(value: Any) -> tuple[str, Any]:
    """What makes two values of JSON the same: 1 is 1.0, but neither is true."""
    kind = _KINDS.get(type(value))
    return (kind, value) if kind is not None else _OTHER


def _text(said: str, place: str) -> str:
    try:
        said.encode()
    except UnicodeEncodeError:
        raise BadFilter(place, "is not Unicode text") from None
    return said


def _number(said: Any, place: str) -> float:
    if abs(said) > LARGEST_NUMBER or not math.isfinite(said):  # in this order: isfinite() raises for a huge integer
        raise BadFilter(place, f"is not a number between -{LARGEST_NUMBER} and {LARGEST_NUMBER}")
    return said  # type: ignore[no-any-return]


def _moment(said: object, place: str) -> datetime:
    moment = _as_moment(said)
    if moment is None:
        raise BadFilter(place, "is no number and no time as in RFC 3339 (or a number beside a time)")
    return moment


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _as_number(value: object) -> Any:
    return value if _is_number(value) else None


def _as_moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        found = rfc_3339(value)
    except ValueError:
        return None
    return found if isinstance(found, datetime) else None
