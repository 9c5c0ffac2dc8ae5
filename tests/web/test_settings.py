"""What the environment says, and the clock it chooses."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from shared.clock import NOTHING_KNOWN, Clock, hour_floor, jst_day, jst_midnight
from shared.settings import Address, ServiceSettings


def test_the_environment_is_read_under_its_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRAN_BIND", "0.0.0.0:8080")
    monkeypatch.setenv("KAIRAN_OWN_BIND", "[::1]:8081")
    monkeypatch.setenv("KAIRAN_OPS_BIND", "")
    monkeypatch.setenv("KAIRAN_SOMETHING_ELSE", "x")
    settings = ServiceSettings()
    assert settings.bind == Address("0.0.0.0", 8080)
    assert settings.own_bind == Address("::1", 8081)
    assert str(settings.own_bind) == "[::1]:8081"
    assert settings.ops_bind is None


@pytest.mark.parametrize("bind", ["8080", ":8080", "host:", "host:port", "host:70000", "::1:80", "host:-1", "h:٣"])
def test_an_address_is_host_and_port(bind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRAN_BIND", bind)
    with pytest.raises(ValidationError):
        ServiceSettings()


def test_one_address_cannot_serve_twice() -> None:
    with pytest.raises(ValidationError, match="different addresses"):
        ServiceSettings(bind=Address("h", 1), ops_bind=Address("h", 1))


def test_every_setting_says_what_it_means_and_the_database_password_is_not_shown() -> None:
    assert all(field.description for field in ServiceSettings.model_fields.values())
    assert "hunter2" not in repr(ServiceSettings(mongo="mongodb://u:hunter2@h/"))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        setattr(ServiceSettings(), "clock", "stream")  # noqa: B010


def test_on_the_wall_now_is_now_whatever_passes() -> None:
    clock = Clock("wall")
    clock.advance(datetime(2100, 1, 1, tzinfo=UTC))
    assert clock.known
    before = datetime.now(UTC)
    assert before <= clock.now() <= datetime.now(UTC)


def test_in_a_stream_now_is_the_last_time_passed_and_never_goes_back() -> None:
    clock = Clock("stream")
    assert (clock.known, clock.now()) == (False, NOTHING_KNOWN)
    tokyo = timezone(timedelta(hours=9))
    clock.advance(datetime(2022, 3, 31, 9, tzinfo=tokyo))
    clock.advance(datetime(2021, 1, 1, tzinfo=UTC))
    assert clock.known
    assert clock.now() == datetime(2022, 3, 31, 0, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_days_are_japans() -> None:
    late = datetime(2022, 3, 31, 15, 0, tzinfo=UTC)
    assert jst_day(late) == date(2022, 4, 1)
    assert jst_day(late - timedelta(seconds=1)) == date(2022, 3, 31)
    assert jst_midnight(date(2022, 4, 1)) == late


def test_hours_are_floored_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert hour_floor(datetime(2022, 4, 1, 0, 59, 59, 5, tokyo)) == datetime(2022, 3, 31, 15, tzinfo=UTC)
