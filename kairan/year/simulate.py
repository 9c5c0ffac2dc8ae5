"""The one simulator of a community: a year in which 2,500 members become exactly 5,100, with the truth about why."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from kairan.year.cascade import Arrival, Arrivals
from kairan.year.community import Archive, Join, Session, Year
from kairan.year.people import Person, invent
from kairan.year.programme import EFFECTS, THEMES, plan
from shared.clock import JST

START = datetime(2021, 4, 1, tzinfo=JST)
DAYS = 365  # to the midnight that ends 31 March 2022
MEMBERS_FROM = 2_500
MEMBERS_TO = 5_100
ASKED = 0.7  # share of those whom a publication brought who say so
SOURCES = {"magazine_issue": "publication", "broadcast": "broadcast", "session": "session"}
ORGANIC_SOURCES = (("search", 0.4), ("unknown", 0.4), ("other", 0.2))
REASONS = (("curiosity", 0.3), ("work_problem", 0.3), ("to_learn", 0.25), ("transfer", 0.1), ("other", 0.05))


def simulate(seed: int, *, members_from: int = MEMBERS_FROM, members_to: int = MEMBERS_TO, days: int = DAYS) -> Year:
    """A year from 1 April 2021 to 31 March 2022 (Asia/Tokyo) or its first `days`, the same for the same arguments.

    What publications bring is drawn freely, and the organic joins are conditioned on the total, so the truth per
    publication is exact and the year ends with `members_to`. Raises ValueError where publications alone bring more.
    """
    rng = np.random.default_rng(seed)
    programme = plan(START, days, rng)
    published: tuple[Archive | Session, ...] = (*programme.archives, *programme.sessions)
    arrivals = Arrivals(START, days, rng)
    brought: list[Arrival] = []
    for one in published:
        at = (one.published_at - START) / timedelta(hours=1)
        brought += arrivals.brought(one.id, at, programme.effects[one.id], EFFECTS[one.kind].mean_h)
    missing = members_to - members_from - len(brought)
    if missing < 0:
        raise ValueError(f"publications bring {len(brought)} members, more than the {members_to - members_from} wanted")
    everybody = sorted((*brought, *arrivals.organic(missing)), key=lambda arrival: arrival.hour)
    people = invent(members_to, rng)
    counted = Counter(arrival.cause for arrival in everybody)
    return Year(
        seed=seed,
        start=START,
        end=START + timedelta(days=days),
        opening=people[:members_from],
        joins=_joins(everybody, people[members_from:], published, rng),
        archives=programme.archives,
        sessions=programme.sessions,
        truth={one.id: counted[one.id] for one in published},
    )


def _joins(
    everybody: Sequence[Arrival],
    people: Sequence[Person],
    published: Sequence[Archive | Session],
    rng: np.random.Generator,
) -> tuple[Join, ...]:
    place = {id(arrival): number for number, arrival in enumerate(everybody)}
    kinds = {one.id: one.kind for one in published}
    joins = []
    for arrival, person in zip(everybody, people, strict=True):
        referrer = None if arrival.referrer is None else place[id(arrival.referrer)]
        source, reason, source_ref = _story(arrival, kinds, rng)
        joins.append(
            Join(
                person=person,
                occurred_at=START + timedelta(seconds=int(arrival.hour * 3600)),
                source=source,
                reason=reason,
                entrance_theme_id=THEMES[int(rng.integers(len(THEMES)))][0] if rng.random() < 0.6 else None,
                source_ref=source_ref,
                referrer=referrer,
                cause=arrival.cause,
            )
        )
    return tuple(joins)


def _story(arrival: Arrival, kinds: dict[str, str], rng: np.random.Generator) -> tuple[str, str, str | None]:
    """What the new member says: source, reason and the publication they name."""
    if arrival.referrer is not None:
        return "referral", "invited", None
    if arrival.cause is not None and rng.random() < ASKED:
        return SOURCES[kinds[arrival.cause]], _draw(REASONS, rng), arrival.cause
    return _draw(ORGANIC_SOURCES, rng), _draw(REASONS, rng), None


def _draw(shares: Sequence[tuple[str, float]], rng: np.random.Generator) -> str:
    mark = rng.random()
    for value, share in shares:
        mark -= share
        if mark < 0:
            return value
    return shares[-1][0]
