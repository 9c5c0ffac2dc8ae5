"""Joins that name a publication as their source become counts per stream, name and hour: sums, in any order."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from services.metrics import growth
from services.metrics.domain.counts import ALL, hour_of, theme_stream
from services.metrics.domain.publications import Publication
from services.metrics.growth.model import Counts
from shared.catalogue import Event, JoinVoided, MemberJoined


class Named(NamedTuple):
    """Where such a join is counted. `ref`: the publication's id or its link code, as the member said it."""

    stream: str
    ref: str
    hour: int
    partition: int


def count_named(facts: Iterable[tuple[int, Event]]) -> dict[Named, int]:
    """What facts about members, as (partition, event), add; only joins known by the hour are evidence at an hour."""
    sums: dict[Named, int] = {}
    for partition, event in facts:
        data = event.data
        if isinstance(data, MemberJoined):
            sign, moment = 1, event.envelope.time
        elif isinstance(data, JoinVoided):
            sign, moment = -1, data.joined_at
        else:
            continue
        if data.source_ref is None or data.joined_precision != "hour":
            continue
        streams = [ALL] if data.entrance_theme_id is None else [ALL, theme_stream(data.entrance_theme_id)]
        for stream in streams:
            named = Named(stream, data.source_ref, hour_of(moment), partition)
            sums[named] = sums.get(named, 0) + sign
    return {named: joins for named, joins in sums.items() if joins}


class Captured:
    """All such counts of one stream, summed over partitions; kept up to date row by row."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._by_ref: dict[str, dict[int, int]] = {}

    def put(self, row_id: str, ref: str, hour: int, joins: int) -> bool:
        """What a row says now; whether that is news."""
        before = self._rows.get(row_id, 0)
        if before == joins:
            return False
        self._rows[row_id] = joins
        hours = self._by_ref.setdefault(ref, {})
        hours[hour] = hours.get(hour, 0) + joins - before
        return True

    def of(self, publication: Publication, joins: growth.Joins, first: int) -> Counts | None:
        """Joins by the hour that named this publication, as `joins.counts` (whose first hour is `first`) and never more
        than those; None where none did."""
        named: dict[int, int] = {}
        for ref in {publication.id, publication.link_code} - {None}:
            _add(named, self._by_ref.get(ref or "", {}))
        found = np.zeros_like(joins.counts)
        for hour, count in named.items():
            if first <= hour < first + found.size:
                found[hour - first] = max(count, 0)
        return np.minimum(found, joins.counts) if found.any() else None


def _add(sums: dict[int, int], more: Mapping[int, int]) -> None:
    for hour, joins in more.items():
        sums[hour] = sums.get(hour, 0) + joins
