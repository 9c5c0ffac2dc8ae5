"""The 168 hours after each publication: what was seen, what was expected without it, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from services.metrics.growth import foresight
from services.metrics.growth.fit import Fit
from services.metrics.growth.foresight import RECENT, Mixture, Recent
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import WINDOW_H, Counts, Floats, Indices
from services.metrics.growth.scatter import CLUSTERED
from services.metrics.growth.stream import Stream

DAYS = WINDOW_H // 24
ENDLESS = 1e9
WIDEST = 0.5  # squared coefficient of variation: beyond it a negative binomial says "nobody at all" first


@dataclass(frozen=True)
class Windows:
    """One value per publication. `seen`: joins but those that named a publication; `captured`: joins that named it;
    `others`: joins that named another one; `base`: what is expected of `seen`, the credit of others included."""

    seen: Counts
    captured: Counts
    others: Counts
    base: Mixture

    @property
    def observed(self) -> Counts:
        return np.asarray(self.seen + self.captured + self.others)

    @property
    def expected(self) -> Floats:
        return self.base.expected + self.others


def windows(fitted: Fit) -> Windows:
    stream = fitted.stream
    hour = stream.at[:, None] + np.arange(WINDOW_H)
    inside = (hour >= 0) & (hour < stream.counts.size)
    safe = np.where(inside, hour, 0)
    seen = np.where(inside, stream.counts[safe], 0.0).sum(1)
    captured = np.array([stream.named(at, at + WINDOW_H) for at in stream.at.tolist()])
    own = np.diag(captured)
    day = np.where(inside, stream.hours.day[safe], -1)
    base = _base(stream, fitted, np.where(inside, fitted.shape[safe], 0.0), day)
    return Windows(seen.astype(np.int64), own, captured.sum(1) - own, _with_others(stream, fitted, base))


def _base(stream: Stream, fitted: Fit, exposure: Floats, day: Indices) -> Mixture:
    on = (np.arange(WINDOW_H) + 0.5) / 24
    own_day = stream.day_of_publication
    hourly = np.array([forecast.mean(row, on) for forecast, row in zip(fitted.forecasts, exposure, strict=True)])
    error = np.array([forecast.variance(row, on) for forecast, row in zip(fitted.forecasts, exposure, strict=True)])
    piece = np.where(day >= 0, np.clip(day - own_day[:, None], 0, DAYS), DAYS)
    cell = np.arange(len(piece))[:, None] * (DAYS + 1) + piece
    days = np.bincount(cell.ravel(), hourly.ravel(), len(piece) * (DAYS + 1)).reshape(-1, DAYS + 1).astype(np.float64)
    level = np.array([24 * forecast.level for forecast in fitted.forecasts])
    dragging = foresight.long_run(level, fitted.scatter.frailty[own_day])
    return foresight.foresee(fitted.scatter.before(own_day), _recent(stream, fitted), days, error, dragging)


def _recent(stream: Stream, fitted: Fit) -> Recent:
    hours = stream.hours
    day = stream.day_of_publication[:, None] - 1 - np.arange(RECENT)
    safe = np.maximum(day, 0)
    exposure, effect = hours.by_day(fitted.shape), hours.by_day(fitted.effect)
    level = np.array([[forecast.level] for forecast in fitted.forecasts])
    trend = np.array([[forecast.trend] for forecast in fitted.forecasts])
    rate = np.maximum(level - trend * (np.arange(RECENT) + 1.0), 0.25 * level)
    mean = np.maximum(exposure[safe] * rate, 1e-3)
    surprise = (fitted.cut[safe] - effect[safe]) / mean - 1
    noise = CLUSTERED * (mean + effect[safe]) / mean**2 + fitted.doubt[safe] / mean**2
    surprise = np.clip(surprise, -1.0, 2.0)
    return Recent(np.where(day >= 0, surprise, 0.0), np.where(day >= 0, noise, ENDLESS))


def _with_others(stream: Stream, fitted: Fit, base: Mixture) -> Mixture:
    """The base and the joins in each window that are credited to other publications."""
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
    brought = fitted.draws.size @ share.T
    mean, variance = brought.mean(0)[:, None], brought.var(0)[:, None]
    whole = base.mean + mean
    wide = np.minimum(base.variance + variance + CLUSTERED * mean, whole + WIDEST * whole**2)
    return Mixture(whole, wide, base.weight)
