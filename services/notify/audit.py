"""Who changed what of an endpoint, and when: one line for each command, written in its transaction. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

AUDIT: Final = "audit"
KEPT: Final = timedelta(days=90)
Operation = Literal["create", "update", "rotate", "pause", "resume", "delete", "disable", "verify", "test"]
_OURS: Final = frozenset({"_id", "version", "created_ms", "pairwise_key", "sealed_url", "place"})


def entry(
    endpoint_id: str,
    operation: Operation,
    subject: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    at: datetime,
) -> dict[str, Any]:
    """The line about one command: names of changed fields, never what stood or stands in them.

    Without an `_id`: the driver's own rise, and tell the order of lines of one millisecond.
    """
    changed = {name for name, value in after.items() if before.get(name) != value} - _OURS
    return {
        "endpoint": endpoint_id,
        "at": at,
        "subject": subject,
        "operation": operation,
        "changed": sorted(changed),
    }
