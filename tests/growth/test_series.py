"""Issues of a series together."""

import numpy as np

from kairan.year.counts import Cause, World
from services.metrics.growth import Joins, Publication, Series, ledger
from tests.growth.streams import START, at_hour

ISSUES = range(60, 350, 25)


def pooled(per_day: float, each: float, seed: int, growth: float = 0.35) -> tuple[Series, int]:
    causes = [Cause(day * 24 + 8, each * 0.85, 60.0) for day in ISSUES]
    joins = World(per_day=per_day, growth=growth).joins(causes, np.random.default_rng((93, seed)))
    known = [Publication(f"p{c.at}", "magazine_issue", at_hour(c.at), series_id="monthly") for c in causes]
    found = ledger(Joins(START, joins.sum(1)), known, at_hour(len(joins)))
    assert [one.series_id for one in found.series] == ["monthly"]
    return found.series[0], sum(int(joins[c.at : c.at + 168, 1 + i].sum()) for i, c in enumerate(causes))


def test_what_is_invisible_in_one_issue_is_plain_in_twelve() -> None:
    found = [pooled(7, 20, seed) for seed in range(6)]
    assert [series.verdict for series, _ in found].count("clear") >= 5
    assert all(series.issues == len(ISSUES) for series, _ in found)
    assert sum(series.low <= truth <= series.high for series, truth in found) >= 4


def test_idle_issues_are_not_called_clear_even_where_the_community_grows_fast() -> None:
    found = [pooled(per_day, 0, seed, growth) for per_day, growth in ((60, 0.35), (7, 2.0)) for seed in range(8)]
    assert [series.verdict for series, _ in found].count("clear") <= 1
    assert sum(series.low == 0 for series, _ in found) >= 12


def test_issues_with_too_little_data_before_them_are_left_out() -> None:
    counts = np.random.default_rng(1).poisson(2, 80 * 24).astype(np.int64)
    known = [Publication(str(day), "article", at_hour(day * 24), series_id="s") for day in (10, 30, 60)]
    assert ledger(Joins(START, counts), known, at_hour(counts.size)).series[0].issues == 1
    early = ledger(Joins(START, counts), known[:2], at_hour(counts.size)).series[0]
    assert (early.issues, early.verdict) == (0, "too_little_data")


def test_publications_without_a_series_have_none() -> None:
    counts = np.random.default_rng(1).poisson(2, 80 * 24).astype(np.int64)
    assert ledger(Joins(START, counts), [Publication("a", "article", at_hour(1500))], at_hour(counts.size)).series == ()


def test_issues_that_were_named_brought_at_least_those_who_named_them() -> None:
    counts = np.random.default_rng(1).poisson(2, 120 * 24).astype(np.int64)
    named = np.zeros(counts.size, dtype=np.int64)
    named[1500:1524] = np.minimum(counts[1500:1524], 2)
    known = [Publication("a", "article", at_hour(1500), "s", named), Publication("b", "article", at_hour(2000), "s")]
    found = ledger(Joins(START, counts), known, at_hour(counts.size))
    series = found.series[0]
    assert named.sum() <= series.low <= series.extra <= series.high
    row = found.rows[0]
    assert named.sum() <= row.low <= row.extra <= row.high


def test_a_series_far_below_its_baseline_has_a_range_that_is_a_number() -> None:
    hour = np.arange(365 * 24)
    counts = np.random.default_rng(1).poisson(50, hour.size) * (
        hour // 24 % 7 == 2
    )  # a list that is entered once a week
    known = [Publication(str(at), "minutes", at_hour(at), series_id="s") for at in range(1140, 8560, 280)]
    start = START.replace(hour=9)  # its day is no day in Tokyo
    found = ledger(Joins(start, counts.astype(np.int64)), known, at_hour(hour.size)).series[0]
    assert found.extra < 0 == found.low
    assert np.isfinite(found.high)
