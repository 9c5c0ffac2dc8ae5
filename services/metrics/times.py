"""Moments and days as the API takes and gives them: RFC 3339; a bare date is a day in Japan."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BeforeValidator

from services.metrics.domain.counts import first_hour_of_day, hour_of
from shared.clock import JST, jst_midnight
from shared.requests import RFC_3339

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_A_DAY_H = 24
# Whole hours since 1970 that a datetime can hold in every zone.
_FIRST_H, _LAST_H = -17_000_000, 70_000_000

Asked = datetime | date | None


def _read(value: Any) -> Asked:
    if value is None or isinstance(value, datetime | date):
        return value
    text = str(value)
    if _DAY.fullmatch(text):
        return date.fromisoformat(text)
    if not RFC_3339.fullmatch(text):
        raise ValueError("give an RFC 3339 time with its zone (2022-03-31T15:00:00Z) or a day (2022-03-31)")
    return datetime.fromisoformat(text.upper())


def _schema(schema: dict[str, Any]) -> None:
    schema.pop("type", None)
    schema["anyOf"] = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]


def when(description: str, alias: str | None = None) -> Any:
    """A query parameter that takes a moment or a day."""
    return Query(alias=alias, description=description, json_schema_extra=_schema)


AskedTime = Annotated[Asked, BeforeValidator(_read)]


def _read_day(value: Any) -> Any:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("give a day (2022-03-31)")
    return value


AskedDay = Annotated[date | None, BeforeValidator(_read_day)]


def hour_from(asked: datetime | date, *, by_day: bool) -> int:
    """The hour at which the hour (or the Asia/Tokyo day) of `asked` begins."""
    hour = _hour(asked)
    return first_hour_of_day(hour) if by_day else hour


def hour_to(asked: datetime | date, *, by_day: bool) -> int:
    """The hour before which `asked` ends: up to a whole hour or day, rounded up."""
    hour = _hour(asked)
    if isinstance(asked, datetime) and (asked.minute or asked.second or asked.microsecond):
        hour += 1
    return first_hour_of_day(hour + _A_DAY_H - 1) if by_day else hour


def hour_after(asked: datetime | date) -> int:
    """The end of the day, or of the hour that has begun, whose figures are asked for."""
    if isinstance(asked, datetime):
        return hour_to(asked, by_day=False)
    return _hour(asked) + _A_DAY_H


def _hour(asked: datetime | date) -> int:
    try:
        moment = asked if isinstance(asked, datetime) else jst_midnight(asked)
        return min(max(hour_of(moment), _FIRST_H), _LAST_H)
    except OverflowError:
        return _FIRST_H if asked.year < 1970 else _LAST_H


def day_text(moment: datetime) -> str:
    """The beginning of a day in Japan's own time."""
    return moment.astimezone(JST).isoformat()


def ceil_hour(moment: datetime) -> int:
    """The first whole hour at or after a moment."""
    return hour_of(moment + timedelta(hours=1) - timedelta(microseconds=1))
