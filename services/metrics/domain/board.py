"""What readers see: the ledger with its revision, today, and the days of the chart."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["session_recording", "minutes", "article", "magazine_issue", "broadcast", "session"]
Verdict = Literal["clear", "likely", "unclear", "too_little_data"]


class Frozen(BaseModel):
    """Base of the read models: immutable once read."""

    model_config = ConfigDict(frozen=True)


class Title(Frozen):
    """A public title in both languages."""

    ja: str
    en: str


class Row(Frozen):
    """One publication, or one held session, in the ledger."""

    id: str = Field(description="Id of the archive or of the session")
    kind: Kind
    published_at: datetime = Field(description="The moment of publication; for a session, its end")
    window_from: datetime = Field(description="Start of the hour of publication")
    window_to: datetime = Field(description="168 hours later, cut at as_of")
    complete: bool = Field(description="Whether all 168 hours are known")
    observed: int = Field(description="Joins in the window")
    expected: float = Field(description="Joins that the baseline and other publications account for")
    extra: float = Field(description="Observed minus expected: extra joins after; may be negative")
    low: int = Field(description="Lower end of the 90 % range of the extra joins, not below 0")
    high: int = Field(description="Upper end of the 90 % range of the extra joins")
    verdict: Verdict
    alarm_at: datetime | None = Field(description="End of the hour in which the evidence crossed 100, or null")
    title: Title | None = Field(default=None, description="The public title; null for a session")
    series_id: str | None = Field(default=None, description="The series that the publication belongs to")


class DayBar(Frozen):
    """One Asia/Tokyo day of the chart; the band is null where the baseline is too young."""

    day: date
    joins: int
    expected: float | None = None
    low: float | None = None
    high: float | None = None


class Board(Frozen):
    """Everything that the page shows, under one revision."""

    revision: int = 0
    as_of: datetime | None = Field(default=None, description="End of the last known hour; null before the first fact")
    now: datetime | None = Field(default=None, description="The clock's now when this revision was written")
    joins: int = Field(default=0, description="All joins known, the running hour included")
    today_joins: int = Field(default=0, description="Joins of the running Asia/Tokyo day so far")
    members: int = 0
    publications: tuple[Row, ...] = ()
    days: tuple[DayBar, ...] = ()
