"""The publication ledger: one row per publication, from the joins by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.metrics.growth import size
from services.metrics.growth.calendar import JST_OFFSET_H
from services.metrics.growth.fit import Fit, fit
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import Audit, Band, Counts, Floats, Joins, Ledger, Publication, Row, Verdict
from services.metrics.growth.stream import HOUR, Stream

DAYS = 7
WINDOW_H = 24 * DAYS
ENOUGH_H = 42 * 24
LATE_DAYS = 2  # a surge that begins so late may be another event's
BOUND = 1e-6  # relative: a negative binomial is always wider than Poisson


def ledger(joins: Joins, publications: Sequence[Publication], as_of: datetime) -> Ledger:
    """Rows of all publications up to `as_of` (a whole hour; joins after it are not looked at).

    Hours between the end of `joins.counts` and `as_of` count as hours without a join. Raises ValueError where `as_of`
    is not a whole hour with a time zone.
    """
    if as_of.tzinfo is None or as_of.timestamp() % 3600:
        raise ValueError(f"a ledger is as of a whole hour with a time zone, not {as_of}")
    known = sorted((p for p in publications if p.published_at <= as_of), key=lambda p: (p.published_at, p.id))
    stream = Stream.of(joins, known, as_of)
    fitted = fit(stream)
    total = int(stream.counts.sum())
    return Ledger(
        as_of=as_of,
        rows=_rows(stream, fitted, known, joins.start, as_of),
        band=_band(stream, fitted),
        joins=total,
        organic=total - float(fitted.credit.size.sum()),
        unexplained=(),
        audit=Audit(0, 0, 100.0),
        series=(),
    )


def _rows(
    stream: Stream, fitted: Fit, known: Sequence[Publication], start: datetime, as_of: datetime
) -> tuple[Row, ...]:
    if not known:
        return ()
    windows = _windows(stream, fitted)
    observed = windows.observed.sum(1)
    mean = windows.mean.sum(1)
    low, high = size.interval(observed, mean, windows.variance)
    clear = (size.tail(observed, mean, windows.variance) <= size.CLEAR) & _clear_without_late_surge(windows)
    rows = []
    for i, publication in enumerate(known):
        opened = start.astimezone(UTC) + int(stream.at[i]) * HOUR
        closed = opened + WINDOW_H * HOUR
        verdict: Verdict = "too_little_data" if stream.at[i] < ENOUGH_H else "clear" if clear[i] else "unclear"
        expected = round(float(mean[i]), 2)
        rows.append(
            Row(
                id=publication.id,
                kind=publication.kind,
                published_at=publication.published_at,
                window_from=opened,
                window_to=min(closed, as_of),
                complete=closed <= as_of,
                observed=int(observed[i]),
                expected=expected,
                extra=round(int(observed[i]) - expected, 2),
                low=int(low[i]),
                high=int(high[i]),
                credit=float(fitted.credit.size[i]),
                credit_low=0.0,
                credit_high=2 * float(fitted.credit.size[i]),
                joint_with=(),
                joint_credit=float(fitted.credit.size[i]),
                joint_low=0.0,
                joint_high=2 * float(fitted.credit.size[i]),
                log_evidence=0.0,
                verdict=verdict,
            )
        )
    return tuple(rows)


@dataclass(frozen=True)
class _Windows:
    """Per publication: joins seen and expected on each of the 7 days, and the variance of the whole expectation."""

    observed: Counts  # publications x 7
    mean: Floats  # publications x 7
    variance: Floats


def _windows(stream: Stream, fitted: Fit) -> _Windows:
    hour = stream.at[:, None] + np.arange(WINDOW_H)
    inside = (hour >= 0) & (hour < stream.counts.size)
    safe = np.where(inside, hour, 0)
    exposure = np.where(inside, fitted.shape[safe], 0.0)
    counts = np.where(inside, stream.counts[safe], 0.0)
    on = (np.arange(WINDOW_H) + 0.5) / 24
    base = np.array([forecast.mean(exposure[i], on) for i, forecast in enumerate(fitted.forecasts)])
    own_error = np.array([forecast.variance(exposure[i], on) for i, forecast in enumerate(fitted.forecasts)])
    effect = np.where(inside, fitted.effect[safe], 0.0)
    own = fitted.credit.size[:, None] * stream.mass[:, :WINDOW_H] * exposure
    base_day = _by_day(base)
    mean = np.maximum(base_day + np.maximum(_by_day(effect - own), 0.0), 1e-9)
    scatter, day = fitted.scatter, stream.day_of_publication
    running_on = np.clip((inside.sum(1) / 24 - 1) / (DAYS - 1), 0.0, 1.0)  # a single day has no day to drag along
    chance = (1 + running_on * (scatter.persistence[day] - 1)) * (
        base_day + base_day**2 / scatter.frailty[day, None]
    ).sum(1)
    variance = chance + own_error + _others_variance(stream, fitted)
    return _Windows(_by_day(counts).astype(np.int64), mean, np.maximum(variance, mean.sum(1) * (1 + BOUND)))


def _by_day(hourly: Floats) -> Floats:
    return np.asarray(hourly.reshape(len(hourly), DAYS, 24).sum(2))


def _others_variance(stream: Stream, fitted: Fit) -> Floats:
    """Variance of the joins in each window that are credited to other publications."""
    hour, which, mass = stream.unit_effects(fitted.shape)
    running = np.zeros((len(stream.at), REACH_H + 1))
    running[which, hour - stream.at[which] + 1] = mass
    running = np.cumsum(running, axis=1)
    distance = stream.at[:, None] - stream.at[None, :]  # window x publication
    publication = np.arange(len(stream.at))[None, :]
    share = (
        running[publication, np.clip(distance + WINDOW_H, 0, REACH_H)]
        - running[publication, np.clip(distance, 0, REACH_H)]
    )
    np.fill_diagonal(share, 0.0)
    return np.asarray(share**2 @ fitted.credit.variance)


def _clear_without_late_surge(windows: _Windows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the rest is still plain when the two days from the third on with the most surplus are left out.

    An unlisted event in the window looks like that. One that falls into the first two days cannot be told apart.
    """
    surplus = windows.observed - windows.mean
    pairs = surplus[:, LATE_DAYS:-1] + surplus[:, LATE_DAYS + 1 :]
    worst = LATE_DAYS + pairs.argmax(1)
    rows = np.arange(len(worst))
    seen = windows.observed.sum(1) - windows.observed[rows, worst] - windows.observed[rows, worst + 1]
    whole = windows.mean.sum(1)
    mean = whole - windows.mean[rows, worst] - windows.mean[rows, worst + 1]
    variance = windows.variance * mean / whole
    late = pairs.max(1) > 0
    return np.asarray((size.tail(seen, mean, variance) <= size.CLEAR_IN_REST) | ~late)


def _band(stream: Stream, fitted: Fit) -> Band:
    hours = stream.hours
    expected = np.maximum(fitted.level * hours.by_day(fitted.shape), 1e-9)
    low, high = size.middle(expected, np.maximum(fitted.scatter.variance(expected), expected * (1 + BOUND)))
    first = (hours.first_hour + JST_OFFSET_H) // 24 * 24 - JST_OFFSET_H
    start = np.datetime64(first, "h") + np.arange(hours.days) * np.timedelta64(24, "h")
    return Band(start, hours.by_day(stream.counts).astype(np.int64), expected, low, high)
