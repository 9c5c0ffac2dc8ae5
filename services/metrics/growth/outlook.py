"""What was expected of watched windows, hour by hour, from what was known before each hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.metrics.growth.before import LEAD_H, Before
from services.metrics.growth.foreknowledge import Foreknowledge, fresh_effect
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.model import WINDOW_H, Flags, Floats, Indices
from services.metrics.growth.stream import Stream
from services.metrics.growth.surge import BEGINS, DAY_H, STEP_H

NONE = -1
AHEAD_DAYS = WINDOW_H // 24 + 1
SURGE_ON = 0.006  # surges a day, at least, where publications have had them
SHARE_ON = 0.1  # share of publications with surges from which the null expects one after others
GRAINS = 6.0  # joins of a day count as at most so many times its frailty: quasi-likelihood


@dataclass(frozen=True)
class Outlook:
    """Windows x 168 hours; hours after the stream's end are not `known`."""

    before: Before
    joins: Floats
    base: Floats
    frailty: Floats
    new_day: Flags
    known: Flags
    others: Floats  # chance that a surge by another publication began in the hour

    @classmethod
    def together(cls, outlooks: Sequence["Outlook"]) -> "Outlook":
        """All windows of some, in order; one at least."""
        if len(outlooks) == 1:
            return outlooks[0]
        early = [vars(one.before) for one in outlooks]
        before = Before(**{name: np.concatenate([one[name] for one in early]) for name in early[0]})
        rest = [name for name in vars(outlooks[0]) if name != "before"]
        return cls(before, **{name: np.concatenate([getattr(one, name) for one in outlooks]) for name in rest})

    def only(self, rows: Indices) -> "Outlook":
        before = Before(**{name: values[rows] for name, values in vars(self.before).items()})
        joins, base, frailty = self.joins[rows], self.base[rows], self.frailty[rows]
        return Outlook(before, joins, base, frailty, self.new_day[rows], self.known[rows], self.others[rows])


def outlook(stream: Stream, past: Foreknowledge, at: Indices, own: Indices) -> Outlook:
    """Windows that open at the hours `at` (inside the stream); `own` is the publication that is watched, or `NONE`."""
    hours, length = stream.hours, stream.counts.size
    start_of_day = at - hours.hour[at]
    ahead = np.arange(-LEAD_H, WINDOW_H + 24)  # from the first hour of the first day
    hour = start_of_day[:, None] + ahead
    first_day = hours.day[at]
    on = first_day[:, None]
    day = np.maximum(on + ahead // 24, 0)
    season = hours.seasons(hours.days + AHEAD_DAYS)[day]
    weekday = (hours.weekday[at][:, None] + ahead // 24) % 7
    shape = past.hour[on, ahead % 24] * past.weekday[on, weekday] * past.season[on, weekday, season]
    level = past.level[first_day]
    other, other_spread = _others(stream, past, hour, np.minimum(day, hours.days), shape, own, level)
    base = np.maximum(level[:, None] * shape + other, 1e-6)
    opened, known = hour >= at[:, None], (hour >= 0) & (hour < length)
    counts = np.where(known, stream.counts[np.clip(hour, 0, length - 1)], 0.0)
    doubt = past.season_doubt[on, season]
    frailty = 1 / (1 / past.frailty[on] + doubt / 2 + _doubt_of_day(base, other_spread))
    off_by = (np.sqrt(doubt / 2) * shape * opened).sum(1) / (shape * opened).sum(1)
    early = (ahead >= 0) & ~opened & known
    surges = _surges_of_others(stream, past, hour, first_day, own)
    listed = past.surge_share[first_day] >= SHARE_ON
    rows, opens = np.arange(len(at))[:, None], hours.hour[at][:, None] + LEAD_H
    lead, window = opens + np.arange(-LEAD_H, 0), opens + np.arange(WINDOW_H)
    before = Before(
        joins=(counts * early).sum(1),
        base=(base * early).sum(1),
        frailty=frailty[rows, opens][:, 0],
        echoed=past.echoed[first_day],
        echo=past.echo[first_day],
        grain=1 / (1 + 24 * level / (GRAINS * past.frailty[first_day])),
        level_doubt=past.level_doubt[first_day] + off_by**2,
        surge_rate=np.maximum(past.surge_rate[first_day], np.where(listed, SURGE_ON, 0.0)),
        opens=hours.hour[at],
        lead_joins=counts[rows, lead],
        lead_base=(base * known)[rows, lead],
        lead_others=surges[rows, lead],
    )
    return Outlook(
        before,
        counts[rows, window],
        base[rows, window],
        frailty[rows, window],
        (ahead[window] % 24 == 0) & (np.arange(WINDOW_H) > 0),
        known[rows, window],
        surges[rows, window],
    )


def _others(
    stream: Stream, past: Foreknowledge, hour: Indices, day: Indices, shape: Floats, own: Indices, level: Floats
) -> tuple[Floats, Floats]:
    """Joins expected from other publications, and their standard deviation: windows x hours."""
    mean, spread = np.zeros(hour.shape), np.zeros(hour.shape)
    near = (stream.at > hour[:, :1] - REACH_H) & (stream.at <= hour[:, -1:])
    near[np.flatnonzero(own != NONE), own[own != NONE]] = False
    which, other = np.nonzero(near)
    if not which.size:
        return mean, spread
    after = hour[which] - stream.at[other][:, None]
    mass = np.where((after >= 0) & (after < REACH_H), stream.mass[other[:, None], after.clip(0, REACH_H - 1)], 0.0)
    on = day[which]
    fresh = stream.hours.day[stream.at[other].clip(0, stream.counts.size - 1)][:, None] >= on
    size, doubt = fresh_effect(level[which])
    size = np.where(fresh, size[:, None], past.effect[on, other[:, None]])
    doubt = np.where(fresh, doubt[:, None], past.effect_doubt[on, other[:, None]])
    np.add.at(mean, which, np.maximum(size, 0.0) * mass)
    np.add.at(spread, which, np.sqrt(doubt) * mass)
    return mean * shape, spread * shape


def _surges_of_others(stream: Stream, past: Foreknowledge, hour: Indices, day: Indices, own: Indices) -> Floats:
    """Chance of every hour that a surge by another publication began in it: windows x hours."""
    after = hour[:, 0, None] - stream.at
    near = (after > -hour.shape[1]) & (after < DAY_H) & (past.surge_share[day] >= SHARE_ON)[:, None]
    near[np.flatnonzero(own != NONE), own[own != NONE]] = False
    which, other = np.nonzero(near)
    chance = np.zeros(hour.shape)
    since = hour[which] - stream.at[other][:, None]
    begins = np.where((since >= 0) & (since < DAY_H), BEGINS[(since // STEP_H).clip(0, len(BEGINS) - 1)] / STEP_H, 0.0)
    np.add.at(chance, which, past.surge_share[day[which], None] * begins)
    return chance


def _doubt_of_day(base: Floats, spread: Floats) -> Floats:
    """Relative variance, by doubts about other publications, of the day so far."""
    if not spread.any():
        return np.zeros(base.shape)
    so_far = [np.cumsum(values.reshape(len(base), -1, 24), axis=2).reshape(base.shape) for values in (base, spread)]
    return np.asarray((so_far[1] / so_far[0]) ** 2)
