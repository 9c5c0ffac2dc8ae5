"""Endpoints, as a terminal shows them; what owners and receivers wrote is made harmless."""

import json
from collections.abc import Mapping
from typing import Any

from kairan.cli.printable import printable

_WIDTH = 16


def line(endpoint: Mapping[str, Any]) -> str:
    """One endpoint of a list."""
    events = ", ".join(endpoint["event_types"])
    return printable(f"{endpoint['id']}  {endpoint['state']:<10}  {endpoint['url']}  {events}")


def whole(fields: Mapping[str, Any]) -> str:
    """One field a line; texts as they are, everything else as JSON."""
    return "\n".join(f"{name:<{_WIDTH}}{printable(_value(value))}" for name, value in fields.items())


def tried(event: Mapping[str, Any]) -> str:
    """One event of a dry run."""
    why = "" if event["match"] else f"  {event['place'] or event['why_not']}"
    return printable(f"{'yes' if event['match'] else 'no ':<3}  {event['time']}  {event['type']}  {event['id']}{why}")


def changed(entry: Mapping[str, Any]) -> str:
    """One line of an audit."""
    what = f"  {', '.join(entry['changed'])}" if entry["changed"] else ""
    return printable(f"{entry['at']}  {entry['operation']:<8}  {entry['subject']}{what}")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
