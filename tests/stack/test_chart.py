"""The chart of the terminal: never wider than it, nothing lost, marks above their days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairan.cli.chart import ASCII, ROWS, UNICODE, Mark, chart, glyphs_for

FIRST = date(2021, 4, 1)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=3000), st.integers(30, 300))
def test_it_fits_into_its_width_and_names_its_ends(joins: list[int], width: int) -> None:
    lines = chart(FIRST, joins, [], width)
    assert len(lines) == 1 + ROWS + 2
    assert all(len(line) <= max(width, len(lines[0])) for line in lines[1:])
    assert lines[-1].lstrip().startswith("2021-04-01")


@given(st.lists(st.integers(0, 50), min_size=30, max_size=60))
def test_a_day_with_joins_shows_and_a_day_without_does_not(joins: list[int]) -> None:
    lines = chart(FIRST, joins, [], 80)
    lowest = lines[ROWS][len(f"{max(joins):,}") + 2 :].ljust(len(joins))
    assert [one != " " for one in lowest] == [one > 0 for one in joins]


def test_marks_stand_under_their_days() -> None:
    marks = [Mark(FIRST + timedelta(days=day), "△") for day in (0, 7, 400)] + [Mark(FIRST + timedelta(days=7), "▲")]
    lines = chart(FIRST, [10] * 30, marks, 80)
    assert lines[-2][4:] == "△      ▲"
    assert lines[1].startswith(" 10 █")


def test_more_days_than_columns_are_means() -> None:
    lines = chart(FIRST, [0, 4, 8] * 100, [Mark(FIRST + timedelta(days=299), "▲")], 104)
    assert "a column is the mean of 3 days" in lines[0]
    assert lines[1] == "  4 " + "█" * 100 or lines[1] == " 4 " + "█" * 100
    assert lines[-2].rstrip().endswith("▲")


@pytest.mark.parametrize(("encoding", "glyphs"), [("utf-8", UNICODE), ("ascii", ASCII), (None, ASCII), ("x", ASCII)])
def test_an_encoding_gets_characters_that_it_has(encoding: str | None, glyphs: object) -> None:
    assert glyphs_for(encoding) == glyphs
