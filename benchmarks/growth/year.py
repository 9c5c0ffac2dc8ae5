"""A year of publications in a simulated community: drawn from a recipe, and its ledger beside the truth per cause."""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.growth.single import WINDOW_H, judged, published_at
from kairan.year.counts import Cause, World
from kairan.year.delays import Delay, Delayed, Exponential, PowerLaw, Square
from services.metrics.growth import Publication, Verdict

Scenario = Literal[
    "seed", "overlap", "shock", "foreign", "null", "null, shock", "million", "5,000 an hour", "million, foreign"
]
MEAN_H = {"magazine_issue": 60.0, "broadcast": 10.0, "session_recording": 120.0, "session": 24.0}
MEDIAN = {"magazine_issue": 22.0, "broadcast": 14.0, "session_recording": 8.0, "session": 9.0}
QUIET_DAYS, LAST_DAYS, IDLE = 56, 10, 0.4
SURGES, SURGE_MEAN_H = 6, 20.0
COMMUNITY = World(per_day=5.5, growth=0.35)  # 2,500 to about 5,100 members
MILLION = World(per_day=7000.0, growth=2.0, day_variance=0.01)  # 50,000 to about 3.3 million
LARGEST = World(per_day=102_000.0, growth=2.0, day_variance=0.01)
LARGE = {"million": (MILLION, 900.0), "5,000 an hour": (LARGEST, 13_000.0)}  # and what effects are multiplied by


@dataclass(frozen=True)
class Year:
    """A recipe; it always draws the same year."""

    scenario: Scenario
    seed: tuple[int, ...]

    @property
    def world(self) -> World:
        return self._sized[0]

    @property
    def _sized(self) -> tuple[World, float]:
        return LARGE.get(self.scenario.removesuffix(", foreign"), (COMMUNITY, 1.0))

    def drawn(self) -> "tuple[list[tuple[str, Cause]], list[Cause]]":
        """Kinds and causes of the publications, and the causes that are in no list."""
        rng = np.random.default_rng((*self.seed, 0))
        days = range(QUIET_DAYS, self.world.days - LAST_DAYS)
        at = [("magazine_issue", int(day) * 24 + 8) for day in np.linspace(days[0], days[-1] - 20, 12)]
        at += [("session", day * 24 + 21) for day in days[3::14]]
        at += [("broadcast", int(day) * 24 + 19) for day in rng.choice(days, 10)]
        at += [("session_recording", int(day) * 24 + 12) for day in rng.choice(days, 12)]
        at.sort(key=lambda one: one[1])
        if self.scenario == "overlap":
            at = [(kind, at[i - i % 4][1] + int(rng.integers(0, 72))) for i, (kind, _) in enumerate(at)]
        published = [(kind, Cause(hour, self._size(kind, rng), delay=self._delay(kind, rng))) for kind, hour in at]
        return published, self._unlisted(rng)

    def _size(self, kind: str, rng: np.random.Generator) -> float:
        if self.scenario.startswith("null") or rng.random() < IDLE:
            return 0.0
        return float(self._sized[1] * MEDIAN[kind] * np.exp(0.6 * rng.normal()))

    def _delay(self, kind: str, rng: np.random.Generator) -> Delay:
        usual = Exponential(MEAN_H[kind])
        if "foreign" not in self.scenario:
            return usual
        scale = float(rng.uniform(2, 12))
        laws: tuple[Delay, ...] = (
            Square(int(rng.integers(24, 120))),
            PowerLaw(float(rng.uniform(1.3, 2.0)), scale),
            Delayed(int(rng.integers(12, 49)), usual),
        )
        return laws[rng.integers(len(laws))]

    def _unlisted(self, rng: np.random.Generator) -> list[Cause]:
        if "shock" not in self.scenario:
            return []
        days = rng.integers(QUIET_DAYS, self.world.days - LAST_DAYS, SURGES)
        return [Cause(int(day) * 24 + 12, float(rng.uniform(15, 60)), SURGE_MEAN_H) for day in days]


@dataclass(frozen=True)
class Judged:
    """One publication: what the ledger said, and what it really brought in its window and until the year's end."""

    verdict: Verdict
    complete: bool
    low: int
    high: int
    in_window: int
    credit: float
    credit_low: float
    credit_high: float
    brought: int

    @property
    def held(self) -> bool:
        return self.low <= self.in_window <= self.high

    @property
    def credit_held(self) -> bool:
        return self.credit_low <= self.brought <= self.credit_high


@dataclass(frozen=True)
class YearSeen:
    """`ledger_s`: CPU time of the ledger."""

    rows: tuple[Judged, ...]
    ledger_s: float


def look(recipe: Year) -> YearSeen:
    published, unlisted = recipe.drawn()
    causes = [cause for _, cause in published]
    joins = recipe.world.joins([*causes, *unlisted], np.random.default_rng(recipe.seed))
    publications = [
        Publication(f"p{i}", kind, published_at(recipe.world, cause.at)) for i, (kind, cause) in enumerate(published)
    ]
    total = joins.sum(1)
    begun = time.process_time()
    found = judged(recipe.world, total, publications).by_id()
    spent = time.process_time() - begun
    rows = []
    for i, cause in enumerate(causes):
        row, own = found[f"p{i}"], joins[:, i + 1]
        in_window = int(own[cause.at : cause.at + WINDOW_H].sum())
        rows.append(
            Judged(
                verdict=row.verdict,
                complete=row.complete,
                low=row.low,
                high=row.high,
                in_window=in_window,
                credit=row.credit,
                credit_low=row.credit_low,
                credit_high=row.credit_high,
                brought=int(own.sum()),
            )
        )
    return YearSeen(tuple(rows), spent)
