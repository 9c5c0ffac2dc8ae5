"""The breaker, for any course of answers: when it opens, what goes while it is open, and that it closes."""

from hypothesis import given
from hypothesis import strategies as st

from services.notify.breaker import ENOUGH, Breaker, Opened, Rules

RULES = Rules()
ANSWERS = st.lists(st.tuples(st.booleans(), st.integers(0, 30_000)), max_size=200)


def after(answers: str, step_ms: int = 1000) -> Breaker:
    """A breaker that has seen these answers, `+` and `-`, one after another."""
    breaker = Breaker(RULES)
    for n, one in enumerate(answers):
        breaker.ended(n * step_ms, ok=one == "+", probe=False)
    return breaker


def test_five_failures_in_a_row_open_it_and_four_do_not() -> None:
    assert after("----").state == "closed"
    assert after("-----").state == "open"
    assert after("----+----").state == "closed"
    assert after("+" * 200 + "-----").state == "open"


def test_more_than_half_of_twenty_within_a_minute_open_it() -> None:
    assert after("-+-+" * 5).state == "closed"
    assert after("--+-+" * 3 + "--+-").state == "closed"  # nineteen
    assert after("--+-+" * 4).state == "closed"  # the last was taken
    assert after("--+-+" * 4 + "-").state == "open"
    assert after("--+-+" * 4 + "-", step_ms=6_000).state == "closed"  # ten in a minute


def test_what_fails_often_does_not_open_it_by_chance() -> None:
    """An endpoint that fails a fifth of its attempts has five in a row three hundred times in a million."""
    fifth = "-++++" * 12
    assert after(fifth + "-----").state == "closed"
    assert after(fifth + "-" * 12).state == "open"


def test_one_probe_at_thirty_seconds_doubling_to_a_quarter_of_an_hour() -> None:
    breaker, now, waits = after("-----", step_ms=0), 0, []
    for _ in range(7):
        pause = breaker.pause_ms(now)
        assert pause is not None
        waits.append(pause // 1000)
        now += pause
        assert breaker.pause_ms(now) == 0
        assert breaker.began()
        assert (breaker.state, breaker.pause_ms(now)) == ("probing", None)
        breaker.ended(now, ok=False, probe=True)
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    breaker.began()
    breaker.ended(now, ok=True, probe=True)
    assert (breaker.state, breaker.pause_ms(now), breaker.opened) == ("closed", 0, None)


def test_what_began_before_it_opened_says_nothing_new_unless_it_was_taken() -> None:
    breaker = after("-----", step_ms=0)
    opened = breaker.opened
    breaker.ended(100, ok=False, probe=False)
    assert breaker.opened == opened
    breaker.ended(200, ok=True, probe=False)
    assert breaker.state == "closed"


def test_a_probe_that_was_not_made_is_made_again_and_another_process_goes_on_where_this_one_died() -> None:
    opened = Opened(since_ms=0, probe_at_ms=60_000, wait_s=60.0)
    breaker = Breaker(RULES, opened)
    assert breaker.pause_ms(50_000) == 10_000
    breaker.began()
    breaker.withdrew(probe=True)
    assert breaker.pause_ms(60_000) == 0
    breaker.began()
    breaker.ended(61_000, ok=False, probe=True)
    assert breaker.opened == Opened(0, 61_000 + 120_000, 120.0)


@given(ANSWERS)
def test_it_is_open_only_for_cause_and_always_lets_something_through_in_time(answers: list[tuple[bool, int]]) -> None:
    breaker, now = Breaker(RULES), 0
    seen: list[tuple[int, bool]] = []
    for ok, step_ms in answers:
        now += step_ms
        pause = breaker.pause_ms(now)
        assert pause is not None
        assert pause <= RULES.probe_most_s * 1000
        now += pause
        probe = breaker.began()
        was_open = breaker.opened is not None
        breaker.ended(now, ok=ok, probe=probe)
        seen.append((now, ok))
        if ok:
            assert breaker.state == "closed"
        elif not was_open and breaker.state == "open":
            minute = [each for at, each in seen if at > now - 61_000]
            in_a_row = [each for _, each in seen[-RULES.in_a_row :]]
            assert in_a_row == [False] * RULES.in_a_row or (
                len(minute) >= ENOUGH and minute.count(False) > len(minute) * 0.4
            )
