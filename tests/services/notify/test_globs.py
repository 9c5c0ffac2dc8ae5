"""Patterns over event names mean what shells' do, and cannot be made slow."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain import EVENT_NAMES, NotPossible, check_patterns
from services.notify.globs import any_matches, matches, unmatched


@given(pattern=st.text("ab*-", max_size=8), name=st.text("ab-", max_size=10))
def test_as_shell_patterns(pattern: str, name: str) -> None:
    assert matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


def test_a_pattern_of_many_stars_is_linear() -> None:
    assert not matches("*a" * 32, "a" * 31 + "b" * 10_000)


def test_which_patterns_fit_nothing() -> None:
    assert unmatched(["session-*", "member-joins", "*", "call-raised"], EVENT_NAMES) == ("member-joins",)
    assert any_matches(("session-*", "member-left"), "session-held")


def test_a_misspelt_name_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(NotPossible) as refused:
        check_patterns(["member-joined", "sesion-*"])
    assert refused.value.status == 422
    assert "sesion-*" in refused.value.detail
    assert "session-held" in refused.value.detail
    assert "call-raised" in refused.value.detail


def test_profiles_and_the_clock_are_not_offered() -> None:
    assert "member-profile" not in EVENT_NAMES
    assert "time-passed" not in EVENT_NAMES
