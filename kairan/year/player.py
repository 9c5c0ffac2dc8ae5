"""Sends a simulated year through the public APIs, day by day, as the community would have said it."""

import asyncio
import csv
import io
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kairan.year.community import Archive, Join, Session, Year
from kairan.year.people import Person
from kairan.year.settled import Sent, named_as, settle
from kairan.year.speaker import Speaker

IMPORT_ROWS = 2_500
DAYS_AHEAD = 3
DAY = timedelta(days=1)

Tell = Callable[[str, int, int], None]
"""Hears of progress: what is being done, how many are done, of how many."""


def nobody(what: str, done: int, total: int) -> None:
    """Progress that nobody follows."""


async def play(year: Year, speaker: Speaker, tell: Tell = nobody) -> dict[str, Any]:
    """Plays the whole year and returns the settled ledger of metrics, its ids those of the simulator.

    Repeatable: what a first run had already said is not said twice in effect. Raises `NotAccepted`, `NotSettled`.
    """
    player = _Player(year, speaker)
    tell("the opening stock", 0, year.members_from)
    await player.open(tell)
    try:
        await player.days(tell)
    except ExceptionGroup as faults:
        raise _first(faults) from None
    sent = Sent(year.end, len(year.joins), len(year.archives) + len(year.sessions))
    ledger = await settle(speaker, sent, lambda joins: tell("the ledger", joins, sent.joins))
    return player.in_own_words(ledger)


class _Player:
    """Knows what the services call the things that it has told them of."""

    def __init__(self, year: Year, speaker: Speaker) -> None:
        self._year, self._speaker = year, speaker
        loop = asyncio.get_running_loop()
        published: Iterable[Archive | Session] = (*year.archives, *year.sessions)
        self._published: dict[str, asyncio.Future[str]] = {one.id: loop.create_future() for one in published}
        self._times = [join.occurred_at for join in year.joins]
        self._members: list[asyncio.Future[str]] = [loop.create_future() for _ in year.joins]

    async def open(self, tell: Tell) -> None:
        """The members from before the year, whose day of joining nobody knows; recorded the noon before it begins."""
        recorded = self._year.start - DAY / 2
        for first in range(0, len(self._year.opening), IMPORT_ROWS):
            part = self._year.opening[first : first + IMPORT_ROWS]
            await self._speaker.bring("membership", "/v1/members:import", _table(part, recorded), f"opening-{first}")
            tell("the opening stock", first + len(part), self._year.members_from)
        await self._clock(self._year.start)

    async def days(self, tell: Tell) -> None:
        """Day after day; the next ones are being told of already while the first ends, and then time passes over it."""
        first, total = self._year.start, self._year.days
        begun: deque[asyncio.Task[None]] = deque()
        async with asyncio.TaskGroup() as group:
            for day in range(total + DAYS_AHEAD):
                if day < total:
                    begun.append(group.create_task(self._day(first + day * DAY, first + (day + 1) * DAY)))
                if (ended := day - DAYS_AHEAD) >= 0:
                    await begun.popleft()
                    await self._clock(first + (ended + 1) * DAY)
                    tell("the year", ended + 1, total)

    async def _day(self, begins: datetime, ends: datetime) -> None:
        """All that is said between two midnights."""
        year = self._year
        said = [self._schedule(one) for one in year.sessions if begins <= one.scheduled_at < ends]
        said += [self._publish(one) for one in year.archives if begins <= one.published_at < ends]
        said += [self._hold(one) for one in year.sessions if begins <= one.ends_at < ends]
        said += [self._join(place, year.joins[place]) for place in self._places(begins, ends)]
        async with asyncio.TaskGroup() as group:
            for one in said:
                group.create_task(one)

    def in_own_words(self, ledger: dict[str, Any]) -> dict[str, Any]:
        """The ledger with the simulator's ids."""
        own = {future.result(): name for name, future in self._published.items()}
        return named_as(ledger, own)

    def _places(self, begins: datetime, ends: datetime) -> range:
        return range(bisect_left(self._times, begins), bisect_left(self._times, ends))

    async def _schedule(self, session: Session) -> None:
        body = {
            "title": {"ja": session.title.ja, "en": session.title.en},
            "starts_at": _text(session.starts_at),
            "ends_at": _text(session.ends_at),
            "theme_ids": session.theme_ids,
            "series_id": session.series_id,
            "occurred_at": _text(session.scheduled_at),
        }
        found = await self._speaker.say("events", "/v1/sessions", body, f"schedule-{session.id}")
        self._published[session.id].set_result(found)

    async def _hold(self, session: Session) -> None:
        found = await self._published[session.id]
        body = {
            "started_at": _text(session.starts_at),
            "ended_at": _text(session.ends_at),
            "attendees": session.attendees,
        }
        await self._speaker.say("events", f"/v1/sessions/{found}/hold", body, f"hold-{session.id}")

    async def _publish(self, archive: Archive) -> None:
        body = {
            "kind": archive.kind,
            "title": {"ja": archive.title.ja, "en": archive.title.en},
            "series_id": archive.series_id,
            "theme_ids": archive.theme_ids,
            "audience": "public",
            "occurred_at": _text(archive.published_at),
        }
        found = await self._speaker.say("events", "/v1/archives", body, f"publish-{archive.id}")
        self._published[archive.id].set_result(found)

    async def _join(self, place: int, join: Join) -> None:
        body = {
            "source": join.source,
            "source_ref": await self._published[join.source_ref] if join.source_ref else None,
            "reason": join.reason,
            "referrer_id": None if join.referrer is None else await self._members[join.referrer],
            "entrance_theme_id": join.entrance_theme_id,
            "name": join.person.name,
            "email": join.person.email,
            "organisation": join.person.organisation,
            "prefecture": join.person.prefecture,
            "occurred_at": _text(join.occurred_at),
        }
        self._members[place].set_result(await self._speaker.say("membership", "/v1/members", body, f"join-{place:05d}"))

    async def _clock(self, until: datetime) -> None:
        await self._speaker.say("events", "/v1/clock", {"until": _text(until)}, f"clock-{until:%Y-%m-%d}")


def _first(faults: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first of the exceptions in a group of groups."""
    found = faults.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _table(people: Sequence[Person], recorded: datetime) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("name", "email", "organisation", "prefecture", "occurred_at", "joined_precision"))
    for one in people:
        table.writerow((one.name, one.email, one.organisation, one.prefecture, _text(recorded), "unknown"))
    return text.getvalue()


def _text(moment: datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
