"""Masks: no figure about people, split by an attribute, tells of fewer than ten of them, alone or by a difference.

What is masked: people split by organisation, referrer or month of joining. Totals over time and what publications
brought are not. A marginal (the sum over all rows) counts as known to everybody.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

LEAST = 10

Key = TypeVar("Key", str, int)


def hidden(rows: Mapping[Key, Sequence[int]]) -> frozenset[Key]:
    """The rows that must not be shown. A row's cells are parts of its whole, as (left, still members); all rows have
    as many.

    Hidden is every row with a cell from 1 to 9, for one cell and the whole give the other. What the rows that are shown
    leave of a marginal must not be such a cell either: so at least two rows are hidden, and of each part none or at
    least ten people; the smallest other rows are hidden with them until that is so, or all are.
    """
    found = {key for key, cells in rows.items() if any(0 < cell < LEAST for cell in cells)}
    others = sorted(rows.keys() - found, key=lambda key: (sum(rows[key]), key), reverse=True)
    while found and others and not _safe([rows[key] for key in found]):
        found.add(others.pop())
    return frozenset(found)


def moved(before: int | None, now: int) -> int:
    """The figure to show after `before` was shown last: it stays until ten people or more have moved, so that no two
    exports differ by fewer."""
    return before if before is not None and abs(now - before) < LEAST else now


def _safe(cells: Sequence[Sequence[int]]) -> bool:
    return len(cells) > 1 and all(not 0 < sum(part) < LEAST for part in zip(*cells, strict=True))
