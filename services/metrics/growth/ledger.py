"""The publication ledger: one row per publication, from the joins by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.metrics.growth import size
from services.metrics.growth.calendar import JST_OFFSET_H
from services.metrics.growth.chains import chains
from services.metrics.growth.fit import Fit, fit
from services.metrics.growth.foresight import BOUND
from services.metrics.growth.model import WINDOW_H, Audit, Band, Floats, Indices, Joins, Ledger, Publication, Row, Spike
from services.metrics.growth.series import series
from services.metrics.growth.stream import HOUR, Stream
from services.metrics.growth.unexplained import unexplained
from services.metrics.growth.verdict import verdict
from services.metrics.growth.watched import NEVER, Watched, evidence_of
from services.metrics.growth.windows import windows

RANGE = (0.05, 0.95)
PLACES = 2  # of joins: credits are cut there, so that they and the organic joins add up


def ledger(joins: Joins, publications: Sequence[Publication], as_of: datetime) -> Ledger:
    """Rows of all publications up to `as_of` (a whole hour; joins after it are not looked at).

    Hours between the end of `joins.counts` and `as_of` count as hours without a join. Raises ValueError where `as_of`
    is not a whole hour with a time zone.
    """
    if as_of.tzinfo is None or as_of.timestamp() % 3600:
        raise ValueError(f"a ledger is as of a whole hour with a time zone, not {as_of}")
    known = sorted((p for p in publications if p.published_at <= as_of), key=lambda p: (p.published_at, p.id))
    stream = Stream.of(joins, known, as_of)
    fitted = fit(stream, _kinds(known))
    watched, audit = evidence_of(stream.whole(), known)
    rows = _rows(stream, fitted, known, watched, audit, joins.start, as_of)
    return Ledger(
        as_of=as_of,
        rows=rows,
        band=_band(stream, fitted),
        joins=stream.total,
        organic=round(stream.total - sum(row.credit for row in rows), PLACES),
        unexplained=_unexplained(stream, fitted, watched),
        audit=audit,
        series=series(stream, fitted, known),
    )


def _kinds(known: Sequence[Publication]) -> Indices:
    names = sorted({p.kind for p in known})
    return np.array([names.index(p.kind) for p in known], dtype=np.int64)


def _unexplained(stream: Stream, fitted: Fit, watched: Watched) -> tuple[Spike, ...]:
    """Of joins that name no publication. The window of a publication whose evidence crossed is explained by it."""
    mean = fitted.level[stream.hours.day] * fitted.shape + fitted.effect
    explained = np.zeros(stream.counts.size, dtype=np.bool_)
    for at in stream.at[watched.alarm_h != NEVER].tolist():
        explained[max(at, 0) : at + WINDOW_H] = True
    return unexplained(stream, mean, fitted.effect, fitted.scatter.frailty, explained)


def _rows(
    stream: Stream,
    fitted: Fit,
    known: Sequence[Publication],
    watched: Watched,
    audit: Audit,
    start: datetime,
    as_of: datetime,
) -> tuple[Row, ...]:
    if not known:
        return ()
    seen = windows(fitted)
    low, high = size.interval(seen.seen, seen.base)
    credited = _credits(stream, fitted, _kinds(known))
    published_s = np.array([p.published_at.timestamp() for p in known])
    together = chains(published_s, fitted.draws.joins + stream.named(0, stream.counts.size))
    rows = []
    for i, publication in enumerate(known):
        opened = start.astimezone(UTC) + int(stream.at[i]) * HOUR
        closed = opened + WINDOW_H * HOUR
        chain, observed = together[i], int(seen.observed[i])
        expected = round(float(seen.expected[i]), PLACES)
        if seen.captured[i]:
            expected = min(expected, float(observed - seen.captured[i]))
        joint = round(float(credited.mean[list(chain.members)].sum()), PLACES)
        joint_low, joint_high = min(chain.low, joint), min(max(chain.high, joint), float(stream.total))
        alarm = int(watched.alarm_h[i])
        rows.append(
            Row(
                id=publication.id,
                kind=publication.kind,
                published_at=publication.published_at,
                window_from=opened,
                window_to=min(closed, as_of),
                complete=closed <= as_of,
                observed=observed,
                expected=expected,
                extra=round(observed - expected, PLACES),
                low=int(low[i] + seen.captured[i]),
                high=int(high[i] + seen.captured[i]),
                credit=float(credited.mean[i]),
                credit_low=float(credited.low[i]),
                credit_high=float(credited.high[i]),
                joint_with=tuple(known[j].id for j in chain.members if j != i),
                joint_credit=joint,
                joint_low=joint_low,
                joint_high=joint_high,
                log_evidence=float(watched.log_evidence[i]),
                verdict=verdict(
                    int(stream.at[i]),
                    int(stream.counts.size - stream.at[i]),
                    float(credited.effect[i]),
                    float(watched.log_evidence[i]),
                    audit.threshold,
                ),
                alarm_at=None if alarm == NEVER else start.astimezone(UTC) + alarm * HOUR,
            )
        )
    return tuple(rows)


@dataclass(frozen=True)
class _Credits:
    """Per publication: joins credited, their 90 % range, and the probability that there are any."""

    mean: Floats
    low: Floats
    high: Floats
    effect: Floats


def _credits(stream: Stream, fitted: Fit, kinds: Indices) -> _Credits:
    """What nothing tells apart (one kind, one hour) gets the same, whatever the draws say."""
    draws, named = fitted.draws, stream.named(0, stream.counts.size)
    mean, effect = draws.share.mean(0), (draws.size > 0).mean(0)
    low, high = np.quantile(draws.joins, RANGE, axis=0, method="closest_observation")
    _, twin = np.unique(np.stack((stream.at, kinds)), axis=1, return_inverse=True)
    for alike in (np.flatnonzero(twin == number) for number in np.flatnonzero(np.bincount(twin) > 1)):
        mean[alike], effect[alike] = mean[alike].mean(), effect[alike].mean()
        low[alike], high[alike] = np.quantile(draws.joins[:, alike], RANGE, method="closest_observation")
    mean = np.round(np.floor(10**PLACES * mean) / 10**PLACES + named, PLACES)
    low, high = np.minimum(low + named, mean), np.clip(high + named, mean, stream.total)
    return _Credits(mean, low, high, np.where(named > 0, 1.0, effect))


def _band(stream: Stream, fitted: Fit) -> Band:
    hours = stream.hours
    expected = np.maximum(fitted.level * hours.by_day(fitted.shape), 1e-9)
    low, high = size.middle(expected, np.maximum(fitted.scatter.variance(expected), expected * (1 + BOUND)))
    first = (hours.first_hour + JST_OFFSET_H) // 24 * 24 - JST_OFFSET_H
    start = np.datetime64(first, "h") + np.arange(hours.days) * np.timedelta64(24, "h")
    return Band(start, hours.by_day(stream.counts).astype(np.int64), expected, low, high)
