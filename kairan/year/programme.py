"""What the community does in its year, and what that brings: 12 issues, 10 broadcasts, a session every other Saturday.

Of every kind a fixed share has no effect at all; the other effects are lognormal around the median of their kind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from kairan.year.community import Archive, Session, Title

QUIET_DAYS = 56  # eight weeks without any publication
LAST_DAYS = 10  # the last window is complete within the year
THEMES = (
    ("theme-disaster", "防災", "disaster preparedness"),
    ("theme-digital", "デジタル化", "going digital"),
    ("theme-welfare", "福祉の窓口", "the welfare desk"),
    ("theme-tax", "税務", "tax work"),
    ("theme-writing", "やさしい日本語", "plain Japanese"),
    ("theme-parks", "公園と緑", "parks and greenery"),
    ("theme-water", "上下水道", "water and sewers"),
    ("theme-schools", "学校との連携", "working with schools"),
)


@dataclass(frozen=True)
class EffectOf:
    """Of a kind: median of the joins brought directly, share without any effect, mean hours until they join."""

    median: float
    idle: float
    mean_h: float


EFFECTS = {
    "magazine_issue": EffectOf(median=30.0, idle=1 / 3, mean_h=60.0),
    "broadcast": EffectOf(median=16.0, idle=0.4, mean_h=10.0),
    "session": EffectOf(median=8.0, idle=0.4, mean_h=24.0),
}
SPREAD = 0.5  # standard deviation of the logarithm of an effect
LARGEST = 3.0  # times the median


@dataclass(frozen=True)
class Programme:
    archives: tuple[Archive, ...]
    sessions: tuple[Session, ...]
    effects: dict[str, float]  # expected direct joins per publication


def plan(start: datetime, days: int, rng: np.random.Generator) -> Programme:
    """The programme of `days` from `start` (a midnight)."""
    archives = (*_magazine(start, days), *_broadcasts(start, days, rng))
    sessions = _sessions(start, days, rng)
    published: tuple[Archive | Session, ...] = (*archives, *sessions)
    effects: dict[str, float] = {}
    for kind in EFFECTS:
        ids = [one.id for one in published if one.kind == kind]
        effects |= dict(zip(ids, _sizes(kind, len(ids), rng), strict=True))
    return Programme(tuple(sorted(archives, key=lambda one: one.published_at)), sessions, effects)


def _magazine(start: datetime, days: int, issues: int = 12) -> tuple[Archive, ...]:
    every = (days - QUIET_DAYS - LAST_DAYS) / issues
    return tuple(
        Archive(
            id=f"magazine-{number + 1:02d}",
            kind="magazine_issue",
            title=Title(f"会報「回覧」第{number + 1}号", f"The Kairan magazine, issue {number + 1}"),
            published_at=start + timedelta(days=QUIET_DAYS + int(number * every), hours=8, minutes=30),
            series_id="series-magazine",
            theme_ids=(THEMES[number % len(THEMES)][0],),
        )
        for number in range(issues)
    )


def _broadcasts(start: datetime, days: int, rng: np.random.Generator, count: int = 10) -> tuple[Archive, ...]:
    first = QUIET_DAYS + 3
    every = (days - first - LAST_DAYS) / count
    broadcasts = []
    for number in range(count):
        day = first + int((number + 0.6 * rng.random()) * every)
        when = start + timedelta(days=day, hours=19)
        when -= timedelta(days=max(when.weekday() - 4, 0))  # on a weekday
        title = Title(f"庁内放送 第{number + 1}回", f"In-house broadcast no. {number + 1}")
        broadcasts.append(Archive(f"broadcast-{number + 1:02d}", "broadcast", title, when, "series-broadcast"))
    return tuple(broadcasts)


def _sessions(start: datetime, days: int, rng: np.random.Generator) -> tuple[Session, ...]:
    first = QUIET_DAYS + (5 - (start + timedelta(days=QUIET_DAYS)).weekday()) % 7
    sessions = []
    for number, day in enumerate(range(first, days - LAST_DAYS, 14)):
        theme, ja, en = THEMES[number % len(THEMES)]
        begins = start + timedelta(days=day, hours=20)
        sessions.append(
            Session(
                id=f"session-{number + 1:02d}",
                title=Title(f"勉強会「{ja}」", f"Study session: {en}"),
                scheduled_at=begins - timedelta(days=12, hours=8),
                starts_at=begins,
                ends_at=begins + timedelta(minutes=90),
                attendees=max(60, int(rng.normal(200, 35))),
                theme_ids=(theme,),
                series_id="series-saturday",
            )
        )
    return tuple(sessions)


def _sizes(kind: str, count: int, rng: np.random.Generator) -> list[float]:
    known = EFFECTS[kind]
    sizes = known.median * np.minimum(np.exp(rng.normal(0, SPREAD, count)), LARGEST)
    sizes[rng.permutation(count)[: round(known.idle * count)]] = 0.0
    return [float(size) for size in sizes]
