"""Figures that several measures have: CPU of each part per delivery, and what an account shows."""

from collections.abc import Mapping

from benchmarks.result import Figure
from benchmarks.webhooks.arrivals import Account


def costs(
    name: str, spent_s: Mapping[str, float], deliveries: int, most: float | None = None, most_alone: float | None = None
) -> list[Figure]:
    """The sum and the parts; `most` and `most_alone` are goals, in ms, of the sum and of notify alone."""
    label = f"{name}: " if name else ""
    each_ms = {part: seconds * 1000 / max(1, deliveries) for part, seconds in spent_s.items()}
    goals = {"notify": most_alone}
    return [
        Figure(f"{label}CPU per delivery, stores included", sum(each_ms.values()), "ms", at_most=most),
        *(Figure(f"{label}CPU of {part}", ms, "ms/delivery", at_most=goals.get(part)) for part, ms in each_ms.items()),
    ]


def faults(name: str, account: Account) -> list[Figure]:
    """What must be 0 while nothing is killed."""
    label = f"{name}: " if name else ""
    found = {
        "lost": account.lost,
        "taken twice": account.twice,
        "taken by who did not ask": account.foreign,
        "ids that changed": account.changed_ids,
        "gaps in the numbers": account.gaps,
    }
    return [Figure(f"{label}{what}", count, at_most=0) for what, count in found.items()]
