"""One publication after weeks of a simulated community, with or without an effect: drawn from a recipe, and judged."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np

from kairan.year.counts import Cause, Counts, World
from services.metrics.growth import Joins, Ledger, Publication, ledger

TOKYO = timezone(timedelta(hours=9))
HOUR = timedelta(hours=1)
WINDOW_H = 168


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
        truth=int(joins[recipe.at : recipe.at + WINDOW_H, 1].sum()),
    )


def judged(world: World, counts: Counts, publications: list[Publication]) -> Ledger:
    """The ledger of a world's joins by the hour, as of their end."""
    start = published_at(world, 0)
    return ledger(Joins(start, counts), publications, start + counts.size * HOUR)


def published_at(world: World, hour: int) -> datetime:
    return datetime.combine(world.start, time(), TOKYO).astimezone(UTC) + hour * HOUR
