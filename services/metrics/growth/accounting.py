"""Growth accounting: members, growth factor, reach, source mix, referrals and cohorts, from daily aggregates.

Every function is pure and says its formula; the identities stand in tests/growth/test_accounting.py as properties.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PUBLIC_SERVANTS = 3_300_000  # everybody who could be a member
ORGANISATIONS = 1_788  # prefectures, cities, towns and villages
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reach:
    """How far the community has come: people of all public servants, public bodies of all there are."""

    members: int
    members_share: float
    organisations: int
    organisations_share: float


@dataclass(frozen=True)
class SourceShare:
    """Joins that name one source, and their share of all joins."""

    source: str
    joins: int
    share: float


@dataclass(frozen=True)
class Referral:
    """Who came by whom. `mean_depth` and `deepest` are over those who were referred; 0 where nobody was."""

    joined: int
    referred: int
    coefficient: float
    mean_depth: float
    deepest: int


@dataclass(frozen=True)
class Cohort:
    """Those who joined in one month: how many they were, how many have left, how many are still members."""

    month: str
    joined: int
    left: int

    @property
    def still(self) -> int:
        """joined - left."""
        return self.joined - self.left


def members_at(changes: Mapping[int, int], end: int) -> int:
    """M(t): the sum of all joins less leaves before `end`, keys and `end` in one unit (hours, days).

    Identity: M(t2) - M(t1) is the sum of the changes in [t1, t2).
    """
    return sum(change for at, change in changes.items() if at < end)


def growth_factor(before: int, now: int) -> float | None:
    """G = M(t) / M(t - d): what the members of then were multiplied by; None where there were none.

    Identity: the factors of consecutive periods multiply to the factor of the whole.
    """
    return now / before if before > 0 else None


def reach(members: int, organisations: int) -> Reach:
    """members / 3,300,000 and organisations / 1,788, an organisation being reached once one of its people joined.

    Identity: share x whole is the count again. Names are free text: more than 1,788 spellings give a share above 1.
    """
    return Reach(members, members / PUBLIC_SERVANTS, organisations, organisations / ORGANISATIONS)


def source_mix(joins: Mapping[str, int]) -> tuple[SourceShare, ...]:
    """joins of a source / all joins, the most frequent first, `unknown` always shown, last.

    Identity: the joins add up to all joins, the shares to 1 (to 0 where nobody joined).
    """
    whole = sum(joins.values())
    known = sorted((name for name in joins if name != UNKNOWN and joins[name]), key=lambda name: (-joins[name], name))
    counted = [(name, joins.get(name, 0)) for name in (*known, UNKNOWN)]
    return tuple(SourceShare(name, n, n / whole if whole else 0.0) for name, n in counted)


def referral(joined: int, by_depth: Mapping[int, int]) -> Referral:
    """R = referred / joined: how many others a member has brought along so far, on average.

    Everybody who was referred has one referrer, so the sum of what each brought is `referred`. Depth: 0 without a known
    referrer, else 1 + the referrer's. `by_depth`: people at depths from 1 on.
    Identities: joined = roots + referred; joined = roots / (1 - R) where R < 1.
    """
    people = {depth: n for depth, n in by_depth.items() if depth > 0 and n > 0}
    referred = sum(people.values())
    mean = sum(depth * n for depth, n in people.items()) / referred if referred else 0.0
    return Referral(joined, referred, referred / joined if joined else 0.0, mean, max(people, default=0))


def cohorts(joined: Mapping[str, int], left: Mapping[str, int]) -> tuple[Cohort, ...]:
    """One per month of joining, oldest first (what is no month comes last): still members = joined - left.

    Identity: `still` of all cohorts adds up to the members.
    """
    months = sorted(joined.keys() | left.keys())
    return tuple(Cohort(month, joined.get(month, 0), left.get(month, 0)) for month in months)
