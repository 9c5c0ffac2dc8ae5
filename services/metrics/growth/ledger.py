"""The publication ledger: one row per publication, from the joins by the hour."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from services.metrics.growth.model import Band, Joins, Ledger, Publication, Row

WINDOW_H = 168
HOUR = timedelta(hours=1)


def ledger(joins: Joins, publications: Sequence[Publication], as_of: datetime) -> Ledger:
    """(placeholder of the first ten minutes; the interface is final)"""
    rows = []
    for publication in sorted(publications, key=lambda p: (p.published_at, p.id)):
        if publication.published_at > as_of:
            continue
        start = publication.published_at.replace(minute=0, second=0, microsecond=0)
        end = min(start + WINDOW_H * HOUR, as_of)
        first, last = (int((t - joins.start) / HOUR) for t in (start, end))
        observed = int(joins.counts[max(first, 0) : max(last, 0)].sum())
        rows.append(
            Row(
                publication.id,
                publication.kind,
                publication.published_at,
                start,
                end,
                end < as_of,
                observed,
                float(observed),
                0.0,
                0,
                0,
                "too_little_data",
            )
        )
    empty = np.zeros(0)
    none = np.zeros(0, dtype=np.int64)
    return Ledger(as_of, tuple(rows), Band(np.zeros(0, dtype="datetime64[h]"), none, empty, none, none))
