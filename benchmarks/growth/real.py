"""Row 8: own posts found and placebo alarms on real streams, beside 3-sigma (README.md has the method)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from benchmarks.growth import stars
from benchmarks.growth.line import Line, share
from benchmarks.growth.stars import Half, Repository
from benchmarks.growth.study import Study
from benchmarks.growth.three_sigma import daily_alarm, hourly_alarm
from services.metrics.growth import Joins, Publication
from services.metrics.growth.model import Indices
from services.metrics.growth.stream import Stream
from services.metrics.growth.watched import NEVER, evidence_of

WINDOW_H = 168
ENOUGH_H, YOUNG_H = 42 * 24, 14 * 24
CLEAR_BEFORE_H, CLEAR_AFTER_H = 336, 168
APART_H, LEDGERS, A_LEDGER = 21 * 24, 4, 20
LEAST_PER_DAY = 1.0


@dataclass(frozen=True)
class Rule:
    """Which hours of a stream are looked at, as posts and as placebos (README.md)."""

    before_h: int  # of stream, at least
    placebo_before_h: int
    after_h: int  # of stream after a post, at least
    rate_over_h: int | None  # before it, in which more than one joins a day; None: the whole stream


STRICT = Rule(YOUNG_H, ENOUGH_H, 24, 56 * 24)
NOTED = Rule(0, 0, WINDOW_H, None)  # as the note counts


@dataclass(frozen=True)
class Watched:
    """One post or placebo: whether each alarm was raised within the window. `young`: under 42 days before it."""

    rule: Rule
    placebo: bool
    young: bool
    ledger: bool
    daily: bool
    hourly: bool


@dataclass(frozen=True)
class RepositorySeen:
    half: Half
    watched: tuple[Watched, ...]


def real(n: int, seed: int) -> Study:
    """`n` placebos a repository at most, by either rule; `seed` is not used: the streams are what they are."""
    names = [(name, n) for name in stars.repositories()]
    return Study("8 real streams", names, look, lines)


def look(case: tuple[str, int]) -> RepositorySeen:
    name, most = case
    repository = stars.repositories()[name]
    watched: list[Watched] = []
    for rule in (STRICT, NOTED):
        watched += _watch(repository, posts(repository, rule), rule, placebo=False)
        for group in placebos(repository, most, rule):
            watched += _watch(repository, group, rule, placebo=True)
    return RepositorySeen(repository.half, tuple(watched))


def posts(repository: Repository, rule: Rule) -> list[int]:
    """Those that count."""
    last = repository.counts.size - rule.after_h
    hour = np.array([at for at in repository.posts if rule.before_h <= at <= last], dtype=np.int64)
    return [int(at) for at in hour[_busy(repository, hour, rule)]]


def _busy(repository: Repository, hour: Indices, rule: Rule) -> NDArray[np.bool_]:
    """Whether more than one joins a day, over the time that the rule asks for."""
    joins = np.cumsum(np.concatenate([[0], repository.counts]))
    if rule.rate_over_h is None:
        return np.full(hour.size, 24 * joins[-1] > LEAST_PER_DAY * repository.counts.size)
    before = np.maximum(hour - rule.rate_over_h, 0)
    return np.asarray(24 * (joins[hour] - joins[before]) > LEAST_PER_DAY * np.maximum(hour - before, 1))


def placebos(repository: Repository, most: int, rule: Rule) -> list[list[int]]:
    """Hours without a post, in groups for a ledger each, `most` at all."""
    hour = np.arange(rule.placebo_before_h, max(repository.counts.size - WINDOW_H, rule.placebo_before_h))
    busy = _busy(repository, hour, rule)
    for post in repository.posts:
        busy &= (hour < post - CLEAR_AFTER_H) | (hour > post + CLEAR_BEFORE_H)
    rng = repository.rng
    groups: list[list[int]] = []
    for _ in range(LEDGERS):
        room = min(A_LEDGER, most - sum(map(len, groups)))
        group: list[int] = []
        for at in rng.permutation(hour[busy]):
            if len(group) >= room:
                break
            if all(abs(int(at) - other) >= APART_H for other in group):
                group.append(int(at))
        if group:
            groups.append(sorted(group))
    return groups


def _watch(repository: Repository, hours: Sequence[int], rule: Rule, placebo: bool) -> list[Watched]:
    if not hours:
        return []
    publications = [_publication(repository, at, f"post-{i}") for i, at in enumerate(repository.posts)]
    if placebo:
        publications += [_publication(repository, at, f"placebo-{at}") for at in hours]
    as_of = repository.start + timedelta(hours=int(repository.counts.size))
    known = sorted(publications, key=lambda one: (one.published_at, one.id))
    stream = Stream.of(Joins(repository.start, repository.counts), known, as_of)
    watched, _ = evidence_of(stream, known)  # the ledger's alarms, without its credits
    alarms = dict(zip([one.id for one in known], watched.alarm_h != NEVER, strict=True))
    names = [f"placebo-{at}" if placebo else f"post-{repository.posts.index(at)}" for at in hours]
    return [
        Watched(
            rule,
            placebo,
            at < ENOUGH_H,
            bool(alarms[name]),
            daily_alarm(repository.counts, at),
            hourly_alarm(repository.counts, at),
        )
        for name, at in zip(names, hours, strict=True)
    ]


def _publication(repository: Repository, at: int, name: str) -> Publication:
    return Publication(name, "article", repository.start + timedelta(hours=at))


ALARMS: dict[str, Callable[[Watched], bool]] = {
    "ledger": lambda one: one.ledger,
    "3-sigma daily": lambda one: one.daily,
    "3-sigma hourly": lambda one: one.hourly,
}


def lines(seen: Sequence[RepositorySeen]) -> list[Line]:
    told = []
    for name, halves in {"report": ("report",), "tune": ("tune",), "both": ("report", "tune")}.items():
        these = [one for repository in seen if repository.half in halves for one in repository.watched]
        told += _lines(name, [one for one in these if one.rule == STRICT and not (one.young and not one.placebo)])
        told += _lines(f"{name}, as the note counts", [one for one in these if one.rule == NOTED])
    young = [one for repository in seen for one in repository.watched if one.young]
    for alarm, raised in ALARMS.items():
        found = [raised(one) for one in young if one.rule == STRICT]
        told.append(share("8", f"posts with 14 to 42 days before them found, {alarm}", found))
        false = [raised(one) for one in young if one.rule == NOTED and one.placebo]
        told.append(share("8", f"placebo alarms with under 42 days before them, {alarm}", false))
    return told


def _lines(name: str, these: Sequence[Watched]) -> list[Line]:
    posts, placebo = [one for one in these if not one.placebo], [one for one in these if one.placebo]
    to_beat = sum(one.daily for one in posts) / max(len(posts), 1)
    told = []
    for alarm, raised in ALARMS.items():
        goals = alarm == "ledger"
        found, false = f"{name}: own posts found, {alarm}", f"{name}: placebo alarms, {alarm}"
        told.append(share("8", found, [raised(o) for o in posts], at_least=to_beat if goals else None))
        told.append(share("8", false, [raised(o) for o in placebo], at_most=0.015 if goals else None))
    return told
