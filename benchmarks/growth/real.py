"""Row 8: own posts found and placebo alarms on real streams, beside 3-sigma (README.md has the method)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from benchmarks.growth import stars
from benchmarks.growth.line import Line, share
from benchmarks.growth.stars import Half, Repository
from benchmarks.growth.study import Study
from benchmarks.growth.three_sigma import daily_alarm, hourly_alarm
from services.metrics.growth import Joins, Publication
from services.metrics.growth.stream import Stream
from services.metrics.growth.watched import NEVER, evidence_of

WINDOW_H = 168
ENOUGH_H, YOUNG_H, RATE_OVER_H, WATCHED_AT_LEAST_H = 42 * 24, 14 * 24, 56 * 24, 24
CLEAR_BEFORE_H, CLEAR_AFTER_H = 336, 168
APART_H, LEDGERS, A_LEDGER = 21 * 24, 4, 20
LEAST_PER_DAY = 1.0


@dataclass(frozen=True)
class Watched:
    """One post or placebo: whether each rule raised an alarm within the window. `young`: under 42 days before it."""

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
    """`n` placebos a repository at most; `seed` is not used: the streams are what they are."""
    names = [(name, n) for name in stars.repositories()]
    return Study("8 real streams", names, look, lines)


def look(case: tuple[str, int]) -> RepositorySeen:
    name, most = case
    repository = stars.repositories()[name]
    counted = [at for at in repository.posts if counts_as_post(repository, at)]
    watched = _watch(repository, counted, placebo=False) if counted else []
    for group in placebos(repository, most):
        watched += _watch(repository, group, placebo=True)
    return RepositorySeen(repository.half, tuple(watched))


def counts_as_post(repository: Repository, at: int) -> bool:
    """Also young ones, which are told apart."""
    return _busy_enough(repository, at) and at + WATCHED_AT_LEAST_H <= repository.counts.size


def _busy_enough(repository: Repository, at: int) -> bool:
    before = repository.counts[max(0, at - RATE_OVER_H) : at]
    return at >= YOUNG_H and float(before.mean()) * 24 > LEAST_PER_DAY


def placebos(repository: Repository, most: int) -> list[list[int]]:
    """Hours without a post, in groups for a ledger each, `most` at all."""
    per_day = np.cumsum(np.concatenate([[0], repository.counts]))
    hour = np.arange(ENOUGH_H, repository.counts.size - WINDOW_H)
    before = np.maximum(hour - RATE_OVER_H, 0)
    busy = (per_day[hour] - per_day[before]) / np.maximum(hour - before, 1) * 24 > LEAST_PER_DAY
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


def _watch(repository: Repository, hours: Sequence[int], placebo: bool) -> list[Watched]:
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


RULES: dict[str, Callable[[Watched], bool]] = {
    "ledger": lambda one: one.ledger,
    "3-sigma daily": lambda one: one.daily,
    "3-sigma hourly": lambda one: one.hourly,
}


def lines(seen: Sequence[RepositorySeen]) -> list[Line]:
    told = []
    for name, halves in {"report": ("report",), "tune": ("tune",), "both": ("report", "tune")}.items():
        these = [one for repository in seen if repository.half in halves for one in repository.watched]
        posts, placebo = [o for o in these if not o.placebo and not o.young], [o for o in these if o.placebo]
        to_beat = sum(one.daily for one in posts) / max(len(posts), 1)
        for rule, alarmed in RULES.items():
            goals = rule == "ledger"
            found, false = f"{name}: own posts found, {rule}", f"{name}: placebo alarms, {rule}"
            told.append(share("8", found, [alarmed(o) for o in posts], at_least=to_beat if goals else None))
            told.append(share("8", false, [alarmed(o) for o in placebo], at_most=0.015 if goals else None))
    young = [one for repository in seen for one in repository.watched if one.young]
    for rule, alarmed in RULES.items():
        told.append(share("8", f"posts with 14 to 42 days before them found, {rule}", [alarmed(o) for o in young]))
    return told
