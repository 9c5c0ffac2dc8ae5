"""Rows 1 to 3: false alarms where nothing has an effect; power and time to the alarm where something has."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np

from benchmarks.growth.line import Line, median, share
from benchmarks.growth.single import Heard, Single, listen
from benchmarks.growth.study import Study
from kairan.year.counts import A_MONDAY, Shift, World
from kairan.year.office import Office

RATES = (7, 60, 2000)
BRANCHING = (0.0, 0.15, 0.3)
BEFORE_DAYS, OFFICE_BEFORE_DAYS = 56, 120
MONDAY_8 = BEFORE_DAYS * 24 + 8
AFTER_DAYS = 8
# (lift, days, power goal, median hours goal) at 7 joins a day
EFFECTS = ((0.5, 3, 0.16, None), (1.0, 3, 0.68, None), (1.5, 3, 0.96, 25.0), (3.0, 1, 0.98, 6.0), (5.0, 1, None, 3.0))


def false_alarms(n: int, seed: int) -> Study:
    """`n` streams at each of three sizes, a third of them at each branching."""
    recipes = [null(rate, number, seed) for rate in RATES for number in range(n)]
    return Study("1 false alarms", recipes, listen, lambda seen: _false_lines(recipes, seen), together=True)


def null(per_day: int, number: int, seed: int) -> Single:
    """A publication without effect at a random hour of the week."""
    world = World(BEFORE_DAYS + AFTER_DAYS, per_day, referrals=BRANCHING[number % 3])
    return _at_any_hour(world, (seed, 1, per_day, number))


def _false_lines(recipes: Sequence[Single], seen: Sequence[Heard]) -> list[Line]:
    pairs = list(zip(recipes, seen, strict=True))
    lines = [
        share(
            "1", f"false alarms at {rate:,}/day", [s.alarmed for r, s in pairs if r.world.per_day == rate], at_most=0.01
        )
        for rate in RATES
    ]
    lines += [
        share(
            "1", f"false alarms, branching {b}", [s.alarmed for r, s in pairs if r.world.referrals == b], at_most=0.01
        )
        for b in BRANCHING
    ]
    return [*lines, share("6", "single nulls called clear", [s.clear for s in seen], at_most=0.025)]


def hard_false_alarms(n: int, seed: int) -> Study:
    """`n` streams at each of three sizes in each kind of hard world; the goal is for the first two."""
    kinds = {"office calendar": in_office, "level shifts": shifting, "dragging days": dragging, "growth": growing}
    recipes = [
        (name, make(rate, number, seed)) for name, make in kinds.items() for rate in RATES for number in range(n)
    ]

    def lines(seen: Sequence[Heard]) -> list[Line]:
        pairs = list(zip(recipes, seen, strict=True))
        return [
            share(
                "1",
                f"false alarms, {name}, {rate:,}/day",
                [s.alarmed for (kind, r), s in pairs if kind == name and r.world.per_day == rate],
                at_most=0.02 if name in ("office calendar", "level shifts") else None,
            )
            for name in kinds
            for rate in RATES
        ]

    return Study("1 calendar, shifts", [recipe for _, recipe in recipes], listen, lines, together=True)


def in_office(per_day: int, number: int, seed: int) -> Single:
    """A publication without effect just before or in a break of the office's year, or as people move on."""
    draw = (seed, 11, per_day, number)
    rng = np.random.default_rng((*draw, 0))
    breaks = ((4, 29), (8, 13), (12, 29), (3, 25))
    month, day = breaks[number % len(breaks)]
    published = date(int(rng.integers(2012, 2025)), month, day) + timedelta(days=int(rng.integers(-10, 6)))
    office = Office(
        holiday=float(rng.uniform(0.5, 0.8)),
        golden_week=float(rng.uniform(0.4, 0.75)),
        obon=float(rng.uniform(0.5, 0.85)),
        new_year=float(rng.uniform(0.25, 0.5)),
        transfer=float(rng.uniform(1.2, 1.8)),
    )
    start = published - timedelta(days=OFFICE_BEFORE_DAYS)
    world = World(OFFICE_BEFORE_DAYS + AFTER_DAYS, per_day, start=start, office=office)
    return Single(world, OFFICE_BEFORE_DAYS * 24 + int(rng.integers(24)), draw)


def shifting(per_day: int, number: int, seed: int) -> Single:
    """A publication without effect in the weeks after the level has jumped."""
    draw = (seed, 12, per_day, number)
    rng = np.random.default_rng((*draw, 1))
    shift = Shift(int(rng.integers(BEFORE_DAYS * 24)), float(np.exp(0.3 * rng.normal())))
    return _at_any_hour(World(BEFORE_DAYS + AFTER_DAYS, per_day, shifts=(shift,), drift=0.01), draw)


def dragging(per_day: int, number: int, seed: int) -> Single:
    """A publication without effect where days vary much and drag the next ones along."""
    world = World(OFFICE_BEFORE_DAYS + AFTER_DAYS, per_day, day_variance=0.05, day_correlation=0.5)
    return _at_any_hour(world, (seed, 13, per_day, number))


def growing(per_day: int, number: int, seed: int) -> Single:
    """A publication without effect where joins grow by 0.55 % a day."""
    return _at_any_hour(World(OFFICE_BEFORE_DAYS + AFTER_DAYS, per_day, growth=2.0), (seed, 14, per_day, number))


def _at_any_hour(world: World, draw: tuple[int, ...]) -> Single:
    """Without effect, eight days before the end or a little less."""
    rng = np.random.default_rng((*draw, 0))
    start = A_MONDAY + timedelta(days=int(rng.integers(7)))
    at = (world.days - AFTER_DAYS) * 24 + int(rng.integers(24))
    return Single(replace(world, start=start), at, draw)


def power(n: int, seed: int) -> Study:
    """`n` streams at 7 joins a day for each effect, as the note draws them, and at a random hour of the week."""
    recipes = [acting(lift, days, number, seed) for lift, days, *_ in EFFECTS for number in range(n)]
    recipes += [at_any_hour(number, seed) for number in range(n)]

    def lines(seen: Sequence[Heard]) -> list[Line]:
        found: list[Line] = []
        for k, (lift, days, goal, hours) in enumerate(EFFECTS):
            these, name = seen[k * n : (k + 1) * n], f"+{lift:.0%} x {days} d at 7/day"
            found.append(share("2", f"power at {name}", [s.alarmed for s in these], at_least=goal))
            if hours:
                found.append(
                    median("3", f"median time to alarm at {name}", [s.alarm_after_h for s in these], at_most=hours)
                )
        any_hour = [s.alarmed for s in seen[len(EFFECTS) * n :]]
        return [*found, share("2", "power at +100% x 3 d, any hour of the week", any_hour)]

    return Study("2, 3 power", recipes, listen, lines, together=True)


def acting(lift: float, on_days: int, number: int, seed: int, per_day: int = 7) -> Single:
    """A publication with an effect on Monday at 8."""
    world = World(BEFORE_DAYS + AFTER_DAYS, per_day)
    return Single(world, MONDAY_8, (seed, 2, round(lift * 10), per_day, number), lift, on_days, alone=True)


def at_any_hour(number: int, seed: int) -> Single:
    world = World(BEFORE_DAYS + AFTER_DAYS, 7.0)
    return replace(_at_any_hour(world, (seed, 3, number)), lift=1.0, on_days=3, alone=True)
