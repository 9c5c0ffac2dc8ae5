"""How data of one version become data of the next: up at the reader's edge, down at the producer's in an overlap.

A caster is a pure function from JSON object to JSON object, registered under (event name, version it starts from).
"""

from collections.abc import Callable, Mapping
from typing import Any

Data = dict[str, Any]
Caster = Callable[[Data], Data]
Casters = Mapping[tuple[str, int], Caster]

UPCASTERS: Casters = {}
"""(name, n): data of version n -> data of version n + 1. Stays for ever, as the log does."""

DOWNCASTERS: Casters = {}
"""(name, n): data of version n -> data of version n - 1. Stands here only during an overlap; then both are sent."""
