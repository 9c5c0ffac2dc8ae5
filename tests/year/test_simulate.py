"""The simulated year keeps the figures of the community, and a truth that adds up."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from kairan.year.community import Year
from kairan.year.simulate import simulate
from shared.clock import JST

QUIET = timedelta(days=56)


@pytest.fixture(scope="module", params=[1, 2, 2021])
def year(request: pytest.FixtureRequest) -> Year:
    return simulate(request.param)


def test_the_year_begins_with_2500_members_and_ends_with_5100(year: Year) -> None:
    assert (year.members_from, year.members_to) == (2_500, 5_100)
    assert year.start == datetime(2021, 4, 1, tzinfo=JST)
    assert year.end == datetime(2022, 4, 1, tzinfo=JST)


def test_there_are_12_issues_10_broadcasts_and_a_session_every_other_saturday(year: Year) -> None:
    kinds = Counter(one.kind for one in year.archives)
    assert kinds == {"magazine_issue": 12, "broadcast": 10}
    assert all(one.starts_at.astimezone(JST).weekday() == 5 for one in year.sessions)
    gaps = {b.starts_at - a.starts_at for a, b in zip(year.sessions, year.sessions[1:], strict=False)}
    assert gaps == {timedelta(days=14)}
    assert 150 < sum(one.attendees or 0 for one in year.sessions) / len(year.sessions) < 250
    assert all(one.scheduled_at < one.starts_at < one.ends_at for one in year.sessions)


def test_the_first_publication_comes_after_eight_quiet_weeks(year: Year) -> None:
    first = min(one.published_at for one in (*year.archives, *year.sessions))
    assert QUIET <= first - year.start < QUIET + timedelta(days=1)


def test_every_window_is_complete_within_the_year(year: Year) -> None:
    assert max(one.published_at for one in (*year.archives, *year.sessions)) + timedelta(days=7) <= year.end


def test_joins_are_in_order_and_within_the_year(year: Year) -> None:
    times = [join.occurred_at for join in year.joins]
    assert times == sorted(times)
    assert year.start <= times[0]
    assert times[-1] < year.end


def test_the_truth_counts_every_join_with_a_publication_at_its_root(year: Year) -> None:
    causes = Counter(join.cause for join in year.joins if join.cause)
    assert {name: count for name, count in year.truth.items() if count} == causes
    assert set(year.truth) == {one.id for one in (*year.archives, *year.sessions)}
    idle = [name for name, count in year.truth.items() if not count]
    assert len(idle) >= 4 + 4 + 9  # those without any effect


def test_nobody_is_brought_before_the_publication_or_by_a_later_member(year: Year) -> None:
    published = {one.id: one.published_at for one in (*year.archives, *year.sessions)}
    for place, join in enumerate(year.joins):
        if join.cause:
            assert join.occurred_at >= published[join.cause].replace(microsecond=0)
        if join.referrer is not None:
            assert join.referrer < place
            assert join.cause == year.joins[join.referrer].cause


def test_source_and_reason_fit_what_happened(year: Year) -> None:
    kinds = {one.id: one.kind for one in (*year.archives, *year.sessions)}
    named = {"magazine_issue": "publication", "broadcast": "broadcast", "session": "session"}
    for join in year.joins:
        assert (join.source == "referral") == (join.referrer is not None) == (join.reason == "invited")
        if join.source_ref:
            assert join.source_ref == join.cause
            assert join.source == named[kinds[join.source_ref]]


def test_people_are_invented_and_their_addresses_lead_nowhere(year: Year) -> None:
    everybody = [*year.opening, *(join.person for join in year.joins)]
    assert len({person.email for person in everybody}) == 5_100
    assert all(person.email.endswith("@example.invalid") for person in everybody)


def test_the_same_seed_is_the_same_year_and_another_seed_another() -> None:
    assert simulate(5) == simulate(5)
    assert simulate(5).truth != simulate(6).truth


def test_a_year_cannot_be_smaller_than_what_its_publications_bring() -> None:
    with pytest.raises(ValueError, match="more than the 10 wanted"):
        simulate(1, members_from=100, members_to=110)
