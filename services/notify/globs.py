"""Patterns over event names: `member-joined`, `session-*`. Linear in time, so no pattern can be hostile."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Final

PATTERN: Final = re.compile(r"[a-z0-9*-]{1,64}")


def matches(pattern: str, name: str) -> bool:
    """True when the name fits the pattern, in which `*` stands for any run of characters."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    if not name.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for part in middle:
        found = name.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(name) - at >= len(last) and name.endswith(last)


def unmatched(patterns: Iterable[str], names: Collection[str]) -> tuple[str, ...]:
    """The patterns that fit none of the names, in their order."""
    return tuple(pattern for pattern in patterns if not any(matches(pattern, name) for name in names))


@lru_cache(maxsize=4096)
def any_matches(patterns: tuple[str, ...], name: str) -> bool:
    """True when one of the patterns fits the name."""
    return any(matches(pattern, name) for pattern in patterns)
