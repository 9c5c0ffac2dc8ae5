"""The ledger of a stream from files, by the science that the live service runs, as the object that `--json` prints."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from kairan.year.csv_joins import HOUR_S
from kairan.year.csv_streams import Stream
from services.metrics.growth import Joins, Ledger, Publication, Row, ledger


def ledger_of(stream: Stream) -> Ledger:
    """The ledger as of the stream's end. Sources that are no publication's id are joins like any other."""
    place = np.array([_hours_between(stream.start, one.hour) for one in stream.arrived], dtype=np.int64)
    people = np.array([one.joins for one in stream.arrived], dtype=np.int64)
    length = _hours_between(stream.start, stream.end)
    named: dict[str, list[int]] = {one.id: [] for one in stream.published}
    for index, one in enumerate(stream.arrived):
        if one.source_ref in named:
            named[one.source_ref].append(index)
    publications = [
        Publication(one.id, one.kind, one.published_at, one.series_id, _counts(place, people, named[one.id], length))
        for one in stream.published
    ]
    counts = np.zeros(length, dtype=np.int64)
    np.add.at(counts, place, people)
    return ledger(Joins(stream.start, counts), publications, stream.end)


def as_object(found: Ledger, stream: Stream) -> dict[str, Any]:
    """What `--json` prints of a stream: numbers as they were computed, times in UTC."""
    return {
        "stream": stream.name,
        "joins": int(found.joins),
        "from": utc_text(stream.start),
        "as_of": utc_text(found.as_of),
        "organic": float(found.organic),
        "publications": [_row(one) for one in found.rows],
        "unexplained": [
            {"from": utc_text(one.start), "to": utc_text(one.end), **_range(one.extra, one.low, one.high)}
            for one in found.unexplained
        ],
        "audit": {
            "placebos": int(found.audit.placebos),
            "alarms": int(found.audit.alarms),
            "threshold": float(found.audit.threshold),
        },
        "series": [
            {"series_id": one.series_id, **_range(one.extra, one.low, one.high), "verdict": one.verdict}
            for one in found.series
        ],
    }


def utc_text(moment: datetime) -> str:
    """A moment in UTC, to the second where it is whole."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "published_at": utc_text(row.published_at),
        "window_from": utc_text(row.window_from),
        "window_to": utc_text(row.window_to),
        "complete": bool(row.complete),
        "observed": int(row.observed),
        "expected": float(row.expected),
        "extra": float(row.extra),
        "low": int(row.low),
        "high": int(row.high),
        "credit": float(row.credit),
        "credit_low": float(row.credit_low),
        "credit_high": float(row.credit_high),
        "joint_with": list(row.joint_with),
        "joint_credit": float(row.joint_credit),
        "joint_low": float(row.joint_low),
        "joint_high": float(row.joint_high),
        "log_evidence": float(row.log_evidence),
        "alarm_at": utc_text(row.alarm_at) if row.alarm_at else None,
        "verdict": row.verdict,
    }


def _range(extra: float, low: float, high: float) -> dict[str, float]:
    return {"extra": float(extra), "low": float(low), "high": float(high)}


def _hours_between(start: datetime, moment: datetime) -> int:
    return round((moment - start).total_seconds()) // HOUR_S


def _counts(place: np.ndarray[Any, Any], people: np.ndarray[Any, Any], chosen: list[int], length: int) -> Any:
    if not chosen:
        return np.zeros(0, dtype=np.int64)
    counts = np.zeros(length, dtype=np.int64)
    np.add.at(counts, place[chosen], people[chosen])
    return counts
