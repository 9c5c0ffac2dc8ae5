"""One publication after weeks of a simulated community, with or without an effect: drawn from a recipe, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np

from kairan.year.counts import Cause, Counts, World
from services.metrics.growth import Joins, Ledger, Publication, ledger, size
from services.metrics.growth.evidence import ALARM
from services.metrics.growth.fit import fit
from services.metrics.growth.foreknowledge import foreknow
from services.metrics.growth.outlook import Outlook, outlook
from services.metrics.growth.stream import Stream
from services.metrics.growth.watched import NEVER, evidence_of, log_evidence
from services.metrics.growth.windows import windows

TOKYO = timezone(timedelta(hours=9))
HOUR = timedelta(hours=1)
WINDOW_H = 168
TOGETHER = 50  # streams: more cost more memory than they save time
NAMED = 0.02  # more than joins that name nobody can add to ln E


@dataclass(frozen=True)
class Single:
    """A recipe: `lift` times the usual joins on top for `on_days`, from hour `at` of the world on.

    `alone`: whom the publication brings, bring nobody. `seed` draws the stream; a recipe always draws the same one.
    """

    world: World
    at: int
    seed: tuple[int, ...]
    lift: float = 0.0
    on_days: int = 3
    alone: bool = False
    kind: str = "article"

    def drawn(self) -> Counts:
        """Hours x 2: organic joins, and the publication's."""
        expected = self.lift * self.on_days * self.world.per_day
        cause = Cause(self.at, expected, evenly_h=24 * self.on_days, alone=self.alone)
        return self.world.joins([cause], np.random.default_rng(self.seed))


@dataclass(frozen=True)
class Seen:
    """What the ledger said, and the truth: the publication's joins within its window.

    `alarm_after_h` counts from the publication to the end of the hour that crossed; inf: no alarm.
    """

    alarm_after_h: float
    clear: bool
    extra: float
    low: int
    high: int
    truth: int

    @property
    def alarmed(self) -> bool:
        return self.alarm_after_h < np.inf


@dataclass(frozen=True)
class Ranged:
    """The ledger's range of the extra joins, and the truth."""

    low: int
    high: int
    truth: int

    @property
    def held(self) -> bool:
        return self.low <= self.truth <= self.high


def look(recipe: Single) -> Seen:
    joins = recipe.drawn()
    at = published_at(recipe.world, recipe.at)
    row = judged(recipe.world, joins.sum(1), [Publication("p", recipe.kind, at)]).rows[0]
    return Seen(
        alarm_after_h=np.inf if row.alarm_at is None else (row.alarm_at - at) / HOUR,
        clear=row.verdict == "clear",
        extra=row.extra,
        low=row.low,
        high=row.high,
        truth=_truth(recipe, joins),
    )


@dataclass(frozen=True)
class Heard:
    """What the ledger said of the alarm alone. `alarm_after_h` as above; `clear` is asked of streams without effect."""

    alarm_after_h: float
    clear: bool

    @property
    def alarmed(self) -> bool:
        return self.alarm_after_h < np.inf


def listen(recipes: Sequence[Single]) -> list[Heard]:
    """As `look`, for many at once and without what they do not ask: thresholds are `ALARM` or more, so that a stream
    whose own evidence never gets there needs neither placebos nor credits."""
    heard: list[Heard] = []
    for start in range(0, len(recipes), TOGETHER):
        batch = recipes[start : start + TOGETHER]
        heard += map(_heard, batch, _own_peaks(batch))
    return heard


def _own_peaks(recipes: Sequence[Single]) -> list[float]:
    """The largest ln E of each publication, a little too large: joins that name it are not known to be none."""
    streams = [_stream(recipe, recipe.drawn().sum(1))[0] for recipe in recipes]
    ahead = Outlook.together([outlook(one, foreknow(one), one.at, np.zeros(1, dtype=np.int64)) for one in streams])
    return [float(peak) for peak in log_evidence(ahead, [recipe.kind for recipe in recipes]).max(1)]


def _heard(recipe: Single, own_peak: float) -> Heard:
    if own_peak < np.log(ALARM) - NAMED:
        return Heard(np.inf, clear=False)
    stream, known = _stream(recipe, recipe.drawn().sum(1))
    watched, _ = evidence_of(stream, known)
    alarm = int(watched.alarm_h[0])
    clear = not recipe.lift and bool(watched.log_evidence[0] >= np.log(ALARM)) and look(recipe).clear
    return Heard(np.inf if alarm == NEVER else float(alarm - recipe.at), clear)


def measure(recipe: Single) -> Ranged:
    """The range of `look` without what the ledger does beside it."""
    joins = recipe.drawn()
    stream, _ = _stream(recipe, joins.sum(1))
    seen = windows(fit(stream, np.zeros(1, dtype=np.int64)))
    low, high = size.interval(seen.seen, seen.base)
    return Ranged(int(low[0]), int(high[0]), _truth(recipe, joins))


def _truth(recipe: Single, joins: Counts) -> int:
    return int(joins[recipe.at : recipe.at + WINDOW_H, 1].sum())


def _stream(recipe: Single, counts: Counts) -> tuple[Stream, list[Publication]]:
    start = published_at(recipe.world, 0)
    known = [Publication("p", recipe.kind, published_at(recipe.world, recipe.at))]
    return Stream.of(Joins(start, counts), known, start + counts.size * HOUR), known


def judged(world: World, counts: Counts, publications: list[Publication]) -> Ledger:
    """The ledger of a world's joins by the hour, as of their end."""
    start = published_at(world, 0)
    return ledger(Joins(start, counts), publications, start + counts.size * HOUR)


def published_at(world: World, hour: int) -> datetime:
    return datetime.combine(world.start, time(), TOKYO).astimezone(UTC) + hour * HOUR
