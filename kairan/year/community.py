"""A community's year as data: who was there, who joined and why, what was published and held, and what that brought."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from kairan.year.people import Person


@dataclass(frozen=True)
class Title:
    ja: str
    en: str


@dataclass(frozen=True)
class Archive:
    """Something published. `id` is the simulator's own; the events service gives it another."""

    id: str
    kind: str
    title: Title
    published_at: datetime
    series_id: str | None = None
    theme_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """A gathering that was scheduled and held."""

    id: str
    title: Title
    scheduled_at: datetime
    starts_at: datetime
    ends_at: datetime
    attendees: int | None
    theme_ids: tuple[str, ...] = ()
    series_id: str | None = None
    kind: str = "session"

    @property
    def published_at(self) -> datetime:
        """The moment from which it can bring somebody: its end."""
        return self.ends_at


@dataclass(frozen=True)
class Join:
    """Somebody joins. `cause` (truth, never sent): the publication at the root of it, through referrals; None: none.

    `source_ref` and `referrer` name a publication by its `id` and a join by its place in the year.
    """

    person: Person
    occurred_at: datetime
    source: str
    reason: str
    entrance_theme_id: str | None
    source_ref: str | None = None
    referrer: int | None = None
    cause: str | None = None


@dataclass(frozen=True)
class Year:
    """Joins, archives and sessions are in order of time. `truth`: joins in the year that each publication brought."""

    seed: int
    start: datetime
    end: datetime
    opening: tuple[Person, ...]
    joins: tuple[Join, ...]
    archives: tuple[Archive, ...]
    sessions: tuple[Session, ...]
    truth: Mapping[str, int]

    @property
    def members_from(self) -> int:
        return len(self.opening)

    @property
    def members_to(self) -> int:
        return len(self.opening) + len(self.joins)

    @property
    def days(self) -> int:
        return (self.end - self.start) // timedelta(days=1)
