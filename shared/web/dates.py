"""Days, moments and numbers as people say them in either language; all in Japan's time."""

from datetime import date, datetime, timedelta

from shared.clock import JST
from shared.web.languages import Language

_A_MINUTE = timedelta(minutes=1)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def day_text(day: date, lang: Language) -> str:
    """31 March 2022 · 2022年3月31日."""
    if lang == "ja":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def short_day_text(day: date, lang: Language) -> str:
    """31 Mar 2022 · 2022/3/31: for table cells."""
    if lang == "ja":
        return f"{day.year}/{day.month}/{day.day}"
    return f"{day.day} {_MONTHS[day.month - 1][:3]} {day.year}"


def month_text(day: date, lang: Language) -> str:
    """A month under the chart; January carries its year."""
    if lang == "ja":
        return f"{day.year}年" if day.month == 1 else f"{day.month}月"
    return str(day.year) if day.month == 1 else _MONTHS[day.month - 1][:3]


def moment_text(moment: datetime, lang: Language) -> str:
    """A moment in Japan time; midnight is told as the end of the day before, as people say it."""
    local = moment.astimezone(JST)
    if (local.hour, local.minute) == (0, 0):
        return day_text((moment - _A_MINUTE).astimezone(JST).date(), lang)
    joint = "" if lang == "ja" else ", "
    return f"{day_text(local.date(), lang)}{joint}{local:%H:%M}"


def number(value: float) -> str:
    """1,234; a true minus sign."""
    return f"{round(value):,}".replace("-", "−")
