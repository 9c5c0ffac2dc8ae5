"""Pace and quota: slower when asked, faster step by step, and never more in a minute than was agreed."""

from hypothesis import given
from hypothesis import strategies as st

from services.notify.breaker import Breaker, Rules
from services.notify.gate import Gate, Quota
from services.notify.outcome import Answer, Failure

FINE = Answer(200, None, 1.0)


def busy(status: int) -> Answer:
    return Answer(status, Failure.STATUS, 1.0)


def places(gate: Gate, in_flight: int, now_ms: int) -> int:
    """How many may be under way."""
    return next(n for n in range(in_flight + 1) if gate.pause_ms(now_ms, n, in_flight, None) is None)


def test_an_answer_that_asks_for_it_halves_the_places_and_successes_give_them_back() -> None:
    for status in (429, 502, 504):
        gate = Gate(Breaker(Rules()))
        assert places(gate, 16, 0) == 16
        gate.ended(busy(status), 0, 16, probe=False)
        assert places(gate, 16, 0) == 8
        gate.ended(busy(status), 0, 16, probe=False)
        assert places(gate, 16, 0) == 4
        grown = []
        for _ in range(200):
            gate.ended(FINE, 0, 16, probe=False)
            grown.append(places(gate, 16, 0))
        assert grown == sorted(grown)
        assert grown[3] <= 5
        assert grown[-1] == 16
    gate = Gate(Breaker(Rules()))
    gate.ended(busy(500), 0, 16, probe=False)
    assert places(gate, 16, 0) == 16


def test_with_one_place_left_a_gap_grows_between_requests_and_shrinks_again() -> None:
    gate, now, gaps = Gate(Breaker(Rules(in_a_row=1000))), 0, []
    for _ in range(10):
        gate.began(now)
        gate.ended(busy(429), now, 1, probe=False)
        gaps.append(gate.pause_ms(now, 0, 1, None))
    assert gaps == [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
    for _ in range(120):
        gate.ended(FINE, now, 1, probe=False)
    assert gate.pause_ms(now, 0, 1, None) == 0


@given(st.integers(1, 50), st.lists(st.integers(0, 20_000), max_size=300))
def test_no_minute_has_more_requests_than_the_quota(per_minute: int, steps_ms: list[int]) -> None:
    quota, now, began = Quota(), 0, []
    for step_ms in steps_ms:
        now += step_ms
        now += quota.pause_ms(now, per_minute)
        assert quota.pause_ms(now, per_minute) == 0
        quota.began(now)
        began.append(now)
        assert sum(at > now - 60_000 for at in began) <= per_minute


def test_the_quota_of_a_minute_may_be_used_at_once_and_comes_back_with_the_next() -> None:
    quota = Quota()
    for _ in range(6):
        assert quota.pause_ms(1_000, 6) == 0
        quota.began(1_000)
    pause = quota.pause_ms(1_000, 6)
    assert 60_000 <= pause <= 60_100
    assert quota.pause_ms(1_000 + pause, 6) == 0
    assert quota.pause_ms(1_000, None) == 0
