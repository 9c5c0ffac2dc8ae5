"""What readers see: the ledgers, today, and the days of the chart."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.domain.counts import ALL

Kind = Literal["session_recording", "minutes", "article", "magazine_issue", "broadcast", "session"]
Verdict = Literal["clear", "likely", "unclear", "too_little_data"]
Cause = Literal["late_joins", "voided", "late_publication", "corrected", "withdrawn", "recomputed"]


class Frozen(BaseModel):
    """Base of the read models: immutable once read."""

    model_config = ConfigDict(frozen=True)


class Title(Frozen):
    """A public title in both languages."""

    ja: str
    en: str


class Changed(Frozen):
    """One figure of a row before and after a late fact."""

    field: str
    before: float | str | None = Field(alias="from")
    after: float | str | None = Field(alias="to")

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Restated(Frozen):
    """What late facts changed in a row: both figures as of the same hour, so that nothing but the facts differs."""

    revision: int = Field(default=0, description="The revision that first showed it")
    as_of: datetime = Field(description="The hour up to which both were known")
    reasons: tuple[Cause, ...] = Field(description="What was heard late: of this publication, of another, of joins")
    changes: tuple[Changed, ...]


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
    credit: float = Field(default=0.0, description="Joins credited to it over the whole stream, not only the window")
    credit_low: float = Field(default=0.0, description="Lower end of the 90 % range of the credit")
    credit_high: float = Field(default=0.0, description="Upper end of the 90 % range of the credit")
    joint_with: tuple[str, ...] = Field(default=(), description="The others in a chain less than 24 hours apart")
    joint_credit: float = Field(default=0.0, description="Credit of the whole chain, which nobody can tell apart")
    joint_low: float = Field(default=0.0, description="Lower end of its 90 % range")
    joint_high: float = Field(default=0.0, description="Upper end of its 90 % range")
    log_evidence: float = Field(default=0.0, description="Natural logarithm of the largest evidence E so far")
    verdict: Verdict
    alarm_at: datetime | None = Field(
        description="End of the hour at which the evidence crossed the threshold, or null; once raised, it stays"
    )
    title: Title | None = Field(default=None, description="The public title; null for a session")
    series_id: str | None = Field(default=None, description="The series that the publication belongs to")
    restated: Restated | None = Field(default=None, description="What late facts changed last; null when nothing")


class Spike(Frozen):
    """Joins above the baseline that no listed publication explains: what was published?"""

    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    extra: float
    low: float = Field(description="Lower end of the 90 % range")
    high: float = Field(description="Upper end of the 90 % range")

    model_config = ConfigDict(frozen=True, populate_by_name=True)


class Audit(Frozen):
    """The alarm at past times without a publication: how often it rings for nothing."""

    placebos: int = Field(default=0, description="How many such times were tried")
    alarms: int = Field(default=0, description="How many of them raised an alarm")
    threshold: float = Field(default=100.0, description="The evidence E from which an alarm is raised now")


class Series(Frozen):
    """All issues of a series together."""

    series_id: str
    issues: int
    extra: float
    low: float = Field(description="Lower end of the 90 % range")
    high: float = Field(description="Upper end of the 90 % range")
    verdict: Verdict


class Ledger(Frozen):
    """The ledger of one stream: the rows' credits and `organic` add up to `joins`."""

    stream: str = Field(default=ALL, description="`all`, or `theme:ID`: the joins through one entrance")
    start: datetime | None = Field(default=None, alias="from", description="The first known hour; null before one")
    as_of: datetime | None = Field(default=None, description="End of the last known hour; null before the first fact")
    joins: int = Field(default=0, description="Joins known by the hour, up to as_of")
    organic: float = Field(default=0.0, description="Joins credited to no publication")
    publications: tuple[Row, ...] = ()
    unexplained: tuple[Spike, ...] = ()
    audit: Audit = Audit()
    series: tuple[Series, ...] = ()

    model_config = ConfigDict(frozen=True, populate_by_name=True)


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
    now: datetime | None = Field(default=None, description="The clock's now when this revision was written")
    joins: int = Field(default=0, description="All joins known, the running hour included")
    today_joins: int = Field(default=0, description="Joins of the running Asia/Tokyo day so far")
    members: int = 0
    ledger: Ledger = Ledger()
    days: tuple[DayBar, ...] = ()

    @property
    def as_of(self) -> datetime | None:
        """End of the last known hour; None before the first fact."""
        return self.ledger.as_of

    @property
    def publications(self) -> tuple[Row, ...]:
        """The rows of the ledger of all joins."""
        return self.ledger.publications
