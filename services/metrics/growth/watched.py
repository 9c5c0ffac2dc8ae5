"""The evidence of all publications of a stream, and its placebo audit, from one look at the past."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.metrics.growth.audit import Thresholds, placebos
from services.metrics.growth.effects import prior_of
from services.metrics.growth.evidence import Evidence, log_naming
from services.metrics.growth.foreknowledge import foreknow
from services.metrics.growth.model import WINDOW_H, Audit, Counts, Floats, Indices, Publication
from services.metrics.growth.outlook import NONE, Outlook, outlook
from services.metrics.growth.stream import Stream
from services.metrics.growth.youth import WATCHED_H

NEVER = -1
PLACEBO = "placebo"  # a kind without a prior of its own


@dataclass(frozen=True)
class Watched:
    """Per publication, in the stream's order."""

    log_evidence: Floats  # the largest ln E so far, at least 0
    alarm_h: Indices  # hours from the stream's start to the end of the hour in which E crossed the threshold, or NEVER


def evidence_of(stream: Stream, publications: Sequence[Publication]) -> tuple[Watched, Audit]:
    """`publications` are those of the stream, in its order. Nothing is watched before three days of stream, and
    placebos stand where it has 42 days: the verdict asks for as many."""
    watched = Watched(np.zeros(len(stream.at)), np.full(len(stream.at), NEVER, dtype=np.int64))
    placebo = placebos(stream)
    own = np.flatnonzero((stream.at >= WATCHED_H) & (stream.at < stream.counts.size))
    if not own.size + placebo.size:
        return watched, Thresholds.of(placebo, np.zeros(0)).audit()
    at = np.concatenate((stream.at[own], placebo))
    ahead = outlook(stream, foreknow(stream), at, np.append(own, np.full(placebo.size, NONE)))
    curves = log_evidence(ahead, [*(publications[i].kind for i in own.tolist()), *[PLACEBO] * placebo.size])
    thresholds = Thresholds.of(placebo + WINDOW_H, curves[own.size :].max(1, initial=0.0))
    for row, i in enumerate(own.tolist()):
        curve = curves[row] + log_naming(ahead.joins[row], _window(publications[i].captured, int(stream.at[i])))
        over = curve >= thresholds.at(at[row] + 1 + np.arange(WINDOW_H))
        watched.log_evidence[i] = max(float(curve.max()), 0.0)
        watched.alarm_h[i] = at[row] + 1 + int(over.argmax()) if over.any() else NEVER
    return watched, thresholds.audit()


def _window(captured: Counts, at: int) -> Counts:
    window = np.zeros(WINDOW_H, dtype=np.int64)
    inside = captured[at : at + WINDOW_H]
    window[: inside.size] = inside
    return window


def log_evidence(ahead: Outlook, kinds: Sequence[str]) -> Floats:
    """ln E of every window at the end of each of its hours; minus infinity for hours that are not known."""
    curves = np.empty(ahead.joins.shape)
    priors = {id(prior_of(kind)): prior_of(kind) for kind in kinds}
    of_window = np.array([id(prior_of(kind)) for kind in kinds])
    for key, prior in priors.items():
        rows = np.flatnonzero(of_window == key)
        part = ahead.only(rows)
        evidence = Evidence.start(prior, part.before)
        ticks = zip(part.joins.T, part.base.T, part.frailty.T, part.new_day.T, part.others.T, strict=True)
        curves[rows] = np.array([evidence.tick(*hour) for hour in ticks]).T
    return np.where(ahead.known, curves, -np.inf)
