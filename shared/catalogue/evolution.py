"""What may change within a version of an event, and what needs a new one.

Allowed: words, and a new optional field. Everything else breaks a reader that is already out, or the log that is kept.
"""

from shared.catalogue.schemas import JsonSchema

_WORDS = frozenset({"description", "title", "unit", "x-class", "x-id-of", "examples"})


def breaking_changes(before: JsonSchema, now: JsonSchema) -> list[str]:
    """What changed between two schemas of the same type and version that its readers cannot bear, one sentence each."""
    return [
        *_broken_object("", before, now),
        *(
            sentence
            for name, part in before.get("$defs", {}).items()
            for sentence in _broken_object(f"{name}.", part, now.get("$defs", {}).get(name, {}))
        ),
    ]


def _broken_object(path: str, before: JsonSchema, now: JsonSchema) -> list[str]:
    old, new = before.get("properties", {}), now.get("properties", {})
    was_required, is_required = set(before.get("required", ())), set(now.get("required", ()))
    found = [f"{path}{name} was removed (or renamed)" for name in old if name not in new]
    found += [f"{path}{name} is new and required" for name in new if name not in old and name in is_required]
    for name in old.keys() & new.keys():
        if name in is_required - was_required:
            found.append(f"{path}{name} became required")
        if name in was_required - is_required:
            found.append(f"{path}{name} became optional: readers that are out rely on it")
        if _meaning(old[name]) != _meaning(new[name]):
            found.append(f"{path}{name} takes other values than before")
    return sorted(found)


def _meaning(part: object) -> object:
    """A schema without its words, so that better words are no breaking change."""
    if isinstance(part, dict):
        return {key: _meaning(value) for key, value in part.items() if key not in _WORDS}
    if isinstance(part, list):
        return [_meaning(each) for each in part]
    return part
