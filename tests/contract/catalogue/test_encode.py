"""What the producer's side refuses: once in the log, it is there for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.catalogue import Event, MemberLeft, MemberProfile, SessionScheduled, TooLarge, encode
from tests.contract.catalogue.golden_events import EXPECTED

LEFT = EXPECTED["member-left.v1"]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "a b"},
        {"id": ""},
        {"subject": "someone@example.org"},
        {"subject": "x" * 129},
        {"correlation_id": "a\r\nb"},
        {"causation_id": "名"},
        {"source": "membership"},
        {"aggregate_version": 0},
        {"time": datetime(2022, 3, 31)},  # noqa: DTZ001
        {"type": "kairan.member-left.v2"},
        {"type": "kairan.member-joined.v1"},
    ],
)
def test_an_envelope_that_is_not_fit_for_the_bus_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        encode(replace(LEFT, envelope=replace(LEFT.envelope, **change)))  # type: ignore[arg-type]


def test_only_a_compacted_topic_has_tombstones() -> None:
    with pytest.raises(ValueError, match="no tombstones"):
        encode(Event(LEFT.envelope, None))


def test_an_event_above_the_limit_is_refused() -> None:
    scheduled = EXPECTED["session-scheduled.v1"]
    assert isinstance(scheduled.data, SessionScheduled)
    crowded = scheduled.data.model_copy(update={"theme_ids": ("t" * 128,) * 2100})
    with pytest.raises(TooLarge):
        encode(Event(scheduled.envelope, crowded))


def test_times_are_written_in_utc_with_milliseconds_or_microseconds() -> None:
    in_tokyo = datetime(2022, 4, 1, 0, 30, 0, 120_000, tzinfo=timezone(timedelta(hours=9)))
    exact = datetime(2022, 3, 31, 15, 30, 0, 123_456, tzinfo=UTC)
    envelope = replace(LEFT.envelope, time=in_tokyo, recorded_time=exact)
    headers = dict(encode(Event(envelope, MemberLeft(reason_code="other"))).headers)
    assert headers["ce_time"] == b"2022-03-31T15:30:00.120Z"
    assert headers["ce_recordedtime"] == b"2022-03-31T15:30:00.123456Z"


def test_free_text_cannot_hide_in_an_id() -> None:
    with pytest.raises(ValueError, match="referrer_id"):
        MemberProfile(referrer_id="山田 花子")
