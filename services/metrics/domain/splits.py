"""Figures about people split by an attribute, as they are shown: moved once a day, masked below ten."""

from collections.abc import Mapping
from datetime import date

from pydantic import Field

from services.metrics.domain.board import Frozen
from services.metrics.growth import accounting, masks


class CohortLine(Frozen):
    """Those who joined in one month."""

    month: str = Field(description="Month of joining in Japan; `undated`: an opening stock; `untold`: leaves of old")
    joined: int
    left: int | None = Field(description="How many have left; null where masked")
    still: int | None = Field(description="How many are still members; null where masked")


class DepthLine(Frozen):
    """Those who came by so many referrals in a row."""

    depth: int
    people: int | None = Field(description="Null where masked")


class ReferralLine(Frozen):
    """Who came by whom; null where masked."""

    joined: int = Field(description="All who ever joined")
    referred: int | None
    coefficient: float | None = Field(description="referred / joined: others brought along per member")
    mean_depth: float | None = Field(description="Over those who were referred; without a referrer the depth is 0")
    deepest: int | None


class Splits(Frozen):
    """All split figures of one day. `shown_left`, `shown_depths`: the last figures that were shown, masked since or
    not, which later days are compared with."""

    day: date
    organisations: int
    referral: ReferralLine
    depths: tuple[DepthLine, ...]
    cohorts: tuple[CohortLine, ...]
    shown_left: dict[str, int]
    shown_depths: dict[str, int]


def splits(
    day: date,
    joined: Mapping[str, int],
    left: Mapping[str, int],
    depths: Mapping[int, int],
    organisations: int,
    before: Splits | None,
) -> Splits:
    """The figures of `day`; what has moved by fewer than ten people since `before` stays as it was."""
    left_then, depths_then = (before.shown_left, before.shown_depths) if before else ({}, {})
    months = joined.keys() | left.keys() | left_then.keys()
    left_now = {month: masks.moved(left_then.get(month), left.get(month, 0)) for month in months}
    levels = {str(depth) for depth in depths} | depths_then.keys()
    depths_now = {level: masks.moved(depths_then.get(level), depths.get(int(level), 0)) for level in levels}
    cohorts, lines = _cohorts(joined, left_now), _depths(depths_now)
    return Splits(
        day=day,
        organisations=organisations,
        referral=_referral(sum(joined.values()), depths_now),
        depths=lines,
        cohorts=cohorts,
        shown_left={**left_then, **{one.month: one.left for one in cohorts if one.left is not None}},
        shown_depths={**depths_then, **{str(one.depth): one.people for one in lines if one.people is not None}},
    )


def _cohorts(joined: Mapping[str, int], left: Mapping[str, int]) -> tuple[CohortLine, ...]:
    found = accounting.cohorts(joined, left)
    masked = masks.hidden({one.month: (max(one.left, 0), max(one.still, 0)) for one in found})
    return tuple(
        CohortLine(
            month=one.month,
            joined=one.joined,
            left=None if one.month in masked else one.left,
            still=None if one.month in masked else one.still,
        )
        for one in found
    )


def _depths(people: Mapping[str, int]) -> tuple[DepthLine, ...]:
    by_depth = {int(level): n for level, n in people.items()}
    masked = masks.hidden({depth: (n,) for depth, n in by_depth.items()})
    return tuple(
        DepthLine(depth=depth, people=None if depth in masked else by_depth[depth]) for depth in sorted(by_depth)
    )


def _referral(joined: int, depths: Mapping[str, int]) -> ReferralLine:
    """With a few referred, or a few not, no figure of them is shown; the mean depth only where no depth is masked."""
    found = accounting.referral(joined, {int(level): n for level, n in depths.items()})
    if any(0 < part < masks.LEAST for part in (found.referred, joined - found.referred)):
        return ReferralLine(joined=joined, referred=None, coefficient=None, mean_depth=None, deepest=None)
    shown = not masks.hidden({int(level): (n,) for level, n in depths.items()})
    return ReferralLine(
        joined=joined,
        referred=found.referred,
        coefficient=found.coefficient,
        mean_depth=found.mean_depth if shown else None,
        deepest=found.deepest if shown else None,
    )
