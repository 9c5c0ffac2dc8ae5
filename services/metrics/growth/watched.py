"""The evidence of all publications of a stream, and its placebo audit, from one look at the past."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.metrics.growth.audit import ENOUGH_H, Thresholds, placebos
from services.metrics.growth.effects import WATCHED_H, prior_of
from services.metrics.growth.evidence import Evidence, log_naming
from services.metrics.growth.foreknowledge import foreknow
from services.metrics.growth.model import Audit, Counts, Floats, Indices, Publication
from services.metrics.growth.outlook import NONE, Outlook, outlook
from services.metrics.growth.stream import Stream

NEVER = -1
PLACEBO = "placebo"  # a kind without a prior of its own


@dataclass(frozen=True)
class Watched:
    """Per publication, in the stream's order."""

    log_evidence: Floats  # the largest ln E so far, at least 0
    alarm_h: Indices  # hours from the stream's start to the end of the hour in which E crossed the threshold, or NEVER


def evidence_of(stream: Stream, publications: Sequence[Publication]) -> tuple[Watched, Audit]:
    """`publications` are those of the stream, in its order. Nothing is watched before 42 days of stream."""
    return evidence_of_each([(stream, publications)])[0]


def evidence_of_each(streams: Sequence[tuple[Stream, Sequence[Publication]]]) -> list[tuple[Watched, Audit]]:
    """The same for many streams at once: windows do not touch each other, and a tick of many costs hardly more."""
    sights = [_Sight.of(stream) for stream, _ in streams]
    kinds = [sight.kinds(publications) for sight, (_, publications) in zip(sights, streams, strict=True)]
    seen = [sight.ahead for sight in sights if sight.ahead is not None]
    curves = (
        log_evidence(Outlook.together(seen), [kind for some in kinds for kind in some]) if seen else np.zeros((0, 0))
    )
    cuts = np.cumsum([len(some) for some in kinds])[:-1]
    each = zip(sights, streams, np.split(curves, cuts), strict=True)
    return [sight.judged(stream, publications, own) for sight, (stream, publications), own in each]


@dataclass(frozen=True)
class _Sight:
    """The windows of a stream's publications (`own`: which of them are watched), then of its placebos."""

    own: Indices
    placebo: Indices
    ahead: Outlook | None

    @classmethod
    def of(cls, stream: Stream) -> "_Sight":
        placebo = placebos(stream)
        own = np.flatnonzero((stream.at >= ENOUGH_H) & (stream.at < stream.counts.size))
        if not own.size + placebo.size:
            return cls(own, placebo, None)
        at = np.concatenate((stream.at[own], placebo))
        return cls(own, placebo, outlook(stream, foreknow(stream), at, np.append(own, np.full(placebo.size, NONE))))

    def kinds(self, publications: Sequence[Publication]) -> list[str]:
        return [*(publications[i].kind for i in self.own.tolist()), *[PLACEBO] * self.placebo.size]

    def judged(self, stream: Stream, publications: Sequence[Publication], curves: Floats) -> tuple[Watched, Audit]:
        watched = Watched(np.zeros(len(stream.at)), np.full(len(stream.at), NEVER, dtype=np.int64))
        if self.ahead is None:
            return watched, Thresholds.of(self.placebo, np.zeros(0)).audit()
        thresholds = Thresholds.of(self.placebo + WATCHED_H, curves[self.own.size :].max(1, initial=0.0))
        for row, i in enumerate(self.own.tolist()):
            at = int(stream.at[i])
            curve = curves[row] + log_naming(self.ahead.joins[row], _window(publications[i].captured, at))
            over = curve >= thresholds.at(at + 1 + np.arange(WATCHED_H))
            watched.log_evidence[i] = max(float(curve.max()), 0.0)
            watched.alarm_h[i] = at + 1 + int(over.argmax()) if over.any() else NEVER
        return watched, thresholds.audit()


def _window(captured: Counts, at: int) -> Counts:
    window = np.zeros(WATCHED_H, dtype=np.int64)
    inside = captured[at : at + WATCHED_H]
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
