"""Joins that name a publication are counted per stream and hour, in any order alike, and given to the science."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.captured import Captured, Named, count_named
from services.metrics.domain.counts import hour_of
from services.metrics.domain.daily import count_daily
from services.metrics.domain.publications import Publication
from services.metrics.growth.model import Joins
from shared.catalogue import Event
from tests.services.metrics.facts import joined, left, lives, voided

AT = datetime(2021, 6, 3, 16, 40, tzinfo=UTC)  # 4 June, 01:40 in Japan
HOUR = hour_of(AT)


def publication(link_code: str | None = None) -> Publication:
    return Publication("issue", "magazine_issue", AT, None, None, (), link_code)


def stream(counts: list[int]) -> Joins:
    import numpy as np

    return Joins(AT.replace(minute=0), np.array(counts))


def test_a_join_that_names_its_source_counts_in_its_streams() -> None:
    found = count_named([(3, joined(AT, theme="care", ref="issue")), (3, joined(AT, ref="issue")), (3, joined(AT))])
    assert found == {Named("all", "issue", HOUR, 3): 2, Named("theme:care", "issue", HOUR, 3): 1}


def test_a_join_known_by_the_day_is_no_evidence_at_an_hour() -> None:
    assert count_named([(3, joined(AT, precision="day", ref="issue"))]) == {}


def test_a_void_takes_the_name_back_and_the_source() -> None:
    join = joined(AT, theme="care", ref="issue")
    story = [(3, join), (3, voided(join, AT + timedelta(days=9)))]
    assert count_named(story) == {}
    assert count_daily(story) == {}


def test_id_and_link_code_both_name_a_publication() -> None:
    captured = Captured()
    assert captured.put("a", "issue", HOUR, 2)
    assert captured.put("b", "c0de", HOUR + 1, 3)
    assert not captured.put("b", "c0de", HOUR + 1, 3)
    captured.put("c", "other", HOUR, 9)
    joins = stream([5, 2, 7])
    found = captured.of(publication("c0de"), joins, HOUR)
    assert found is not None
    assert found.tolist() == [2, 2, 0]  # never more than joins there were
    by_id_alone = captured.of(publication(), joins, HOUR)
    assert by_id_alone is not None
    assert by_id_alone.tolist() == [2, 0, 0]


def test_a_publication_that_nobody_named_has_captured_nothing() -> None:
    assert Captured().of(publication(), stream([1]), HOUR) is None


def test_leaves_are_told_by_the_month_of_joining() -> None:
    day = (AT + timedelta(hours=9)).date()
    said = [joined(AT), left(AT, "a", AT - timedelta(days=40)), left(AT, "b", AT, "unknown"), left(AT, "c")]
    (numbers,) = count_daily((3, event) for event in said).values()
    assert numbers == {"source:search": 1, "left:2021-04": 1, "left:undated": 1, "left:untold": 1}
    assert [row.day for row in count_daily([(3, said[0])])] == [day]


@given(st.lists(lives(), max_size=12), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_any_batches_give_the_same_sums(
    stories: list[list[Event]], dice: random.Random, batches: int
) -> None:
    facts = [(index % 12, event) for index, story in enumerate(stories) for event in story]
    named, daily = count_named(facts), count_daily(facts)
    dice.shuffle(facts)
    named_sums: Counter[Named] = Counter()
    daily_sums: Counter[tuple[object, str]] = Counter()
    for batch in range(batches):
        named_sums.update(count_named(facts[batch::batches]))
        for day, numbers in count_daily(facts[batch::batches]).items():
            daily_sums.update({(day, name): n for name, n in numbers.items()})
    assert {at: n for at, n in named_sums.items() if n} == named
    assert {at: n for at, n in daily_sums.items() if n} == {
        (day, name): n for day, numbers in daily.items() for name, n in numbers.items()
    }
