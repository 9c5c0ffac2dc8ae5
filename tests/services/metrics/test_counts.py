"""Joins and members are counted by the time of the event, and in any order to the same sums."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.domain.counts import ALL, Cell, Change, count, first_hour_of_day, hour_of, moment_of
from shared.catalogue import Event
from shared.clock import JST
from tests.services.metrics.facts import EPOCH, joined, left, lives, voided

AT = datetime(2021, 6, 3, 16, 40, tzinfo=UTC)  # 4 June, 01:40 in Japan


def counted(*events: Event) -> dict[Cell, Change]:
    return count((3, event) for event in events)


def test_a_join_known_by_the_hour_counts_at_its_hour() -> None:
    assert counted(joined(AT)) == {Cell(ALL, hour_of(AT), 3): Change(1, 0, 1)}


def test_a_join_known_by_the_day_counts_where_its_day_in_japan_begins() -> None:
    midnight = datetime(2021, 6, 4, tzinfo=JST)
    assert counted(joined(AT, precision="day")) == {Cell(ALL, hour_of(midnight), 3): Change(0, 1, 1)}


def test_a_join_of_unknown_date_is_a_member_from_its_recording_and_never_growth() -> None:
    assert counted(joined(AT, precision="unknown")) == {Cell(ALL, hour_of(AT), 3): Change(0, 0, 1)}


def test_a_join_through_an_entrance_counts_in_its_stream_too() -> None:
    found = counted(joined(AT, theme="care"))
    assert found[Cell("theme:care", hour_of(AT), 3)] == Change(1, 0, 0)
    assert found[Cell(ALL, hour_of(AT), 3)] == Change(1, 0, 1)


def test_who_leaves_is_no_member_from_that_hour_on() -> None:
    join = joined(AT)
    found = counted(join, left(AT + timedelta(days=2), join.envelope.subject))
    assert found[Cell(ALL, hour_of(AT) + 48, 3)] == Change(0, 0, -1)


def test_a_day_in_japan_begins_at_15_utc() -> None:
    for hour in range(hour_of(EPOCH), hour_of(EPOCH) + 60):
        first = moment_of(first_hour_of_day(hour)).astimezone(JST)
        assert first.hour == 0
        assert first.date() == moment_of(hour).astimezone(JST).date()


@given(lives(), st.integers(0, 11))
def test_a_void_undoes_the_join_and_the_leave_by_itself(life: list[Event], partition: int) -> None:
    story = [event for event in life if "join-voided" not in event.envelope.type]
    left_at = story[1].envelope.time if len(story) > 1 else None
    undone = [*story, voided(story[0], story[0].envelope.time, left_at)]
    assert count((partition, event) for event in undone) == {}


@given(st.lists(lives(), max_size=12), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_any_batches_give_the_same_counts(
    stories: list[list[Event]], dice: random.Random, batches: int
) -> None:
    facts = [(index % 12, event) for index, story in enumerate(stories) for event in story]
    expected = count(facts)
    dice.shuffle(facts)
    sums: dict[Cell, Change] = {}
    for batch in range(batches):
        for cell, change in count(facts[batch::batches]).items():
            sums[cell] = Change(*map(sum, zip(sums.get(cell, Change()), change, strict=True)))
    assert {cell: change for cell, change in sums.items() if any(change)} == expected
