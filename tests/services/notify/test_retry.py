"""The schedule of attempts, its jitter, and what Retry-After may ask for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.outcome import Answer, Failure, Verdict, failure_of, gone_or_failing, judge
from services.notify.retry import DELAYS_S, RETRY_AFTER_CAP_S, Schedule, retry_after_s

NOW = datetime(2022, 3, 31, 12, 0, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000


def failed(status: int | None = 500, retry_after: float | None = None) -> Answer:
    return Answer(status, Failure.STATUS if status else Failure.TIMEOUT, 1.0, retry_after)


@given(made=st.integers(1, 9), chance=st.floats(0, 1, exclude_max=True))
def test_every_delay_is_the_schedules_within_a_fifth(made: int, chance: float) -> None:
    delay = Schedule().delay_s(made, chance)
    assert delay is not None
    assert 0.8 * DELAYS_S[made] <= delay <= 1.2 * DELAYS_S[made]


def test_after_ten_attempts_the_schedule_has_ended() -> None:
    assert Schedule().delay_s(10, 0.5) is None
    assert judge(failed(), 10, Schedule(), 0.5) == Verdict("exhausted")


def test_a_receiver_that_asks_for_more_time_gets_it() -> None:
    assert Schedule().delay_s(1, 0.5, 600) == 600
    assert Schedule().delay_s(9, 0.5, 600) == DELAYS_S[9]


@pytest.mark.parametrize("nonsense", ["", "soon", "-5", "1.5", "٣", "Fri, 99 Foo 2022 25:61:00 GMT", "1e3", "\x00"])
def test_nonsense_in_retry_after_is_ignored(nonsense: str) -> None:
    assert retry_after_s(nonsense, NOW) is None


def test_retry_after_in_seconds_or_as_a_date_at_most_a_day() -> None:
    assert retry_after_s("120", NOW) == 120
    assert retry_after_s(f"{120:040}", NOW) == 120
    assert retry_after_s(" 9999999999999999999999 ", NOW) == retry_after_s("9" * 8000, NOW) == RETRY_AFTER_CAP_S
    assert retry_after_s(format_datetime(NOW + timedelta(hours=1), usegmt=True), NOW) == 3600
    assert retry_after_s(format_datetime(NOW + timedelta(days=9), usegmt=True), NOW) == RETRY_AFTER_CAP_S
    assert retry_after_s(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) is None


@given(st.text())
def test_whatever_retry_after_says_it_never_raises_nor_exceeds_a_day(text: str) -> None:
    wait = retry_after_s(text, NOW)
    assert wait is None or 0 <= wait <= RETRY_AFTER_CAP_S


def test_only_2xx_delivers_and_a_redirect_is_a_failure() -> None:
    assert failure_of(204) is None
    assert failure_of(302) is Failure.REDIRECT
    assert failure_of(404) is failure_of(500) is Failure.STATUS
    assert judge(Answer(200, None, 1.0), 1, Schedule(), 0.5) == Verdict("delivered")


def test_410_disables_the_endpoint() -> None:
    assert gone_or_failing(failed(410), None, 0) == "gone"


def test_five_days_of_failures_only_disable_the_endpoint() -> None:
    assert gone_or_failing(failed(), 0, 5 * DAY_MS) == "failing"
    assert gone_or_failing(failed(), 1, 5 * DAY_MS) is None
    assert gone_or_failing(Answer(200, None, 1.0), 0, 9 * DAY_MS) is None
