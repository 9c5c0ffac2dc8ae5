"""What a leader makes of its knowledge, step by step: the board, an entrance's ledger, and news once they settled."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from services.metrics.domain.board import Board, Ledger, Restated
from services.metrics.domain.counts import hour_of
from services.metrics.domain.evaluation import Judged, assemble
from services.metrics.domain.hours import Now
from services.metrics.domain.news import News, Told, milestones, spikes, with_alarms
from services.metrics.domain.restating import Settled, restated, settled
from services.metrics.domain.settled import Settling
from services.metrics.domain.splits import Splits, splits
from services.metrics.growth.milestones import Milestone, reached
from services.metrics.knowledge import Knowledge
from services.metrics.store.accounts import Accounts
from services.metrics.store.board import Boards
from services.metrics.store.history import History
from services.metrics.store.splits import read_splits, write_splits
from services.metrics.store.told import Telling, read_told
from services.metrics.store.watermark import LOOK_EVERY_S, Watermark
from shared.clock import ClockKind, jst_day, wall_now
from shared.store.mongo import Session, Store


@dataclass
class Made:
    """One step's work. `also` writes news and what is settled into the board's transaction."""

    board: Board
    entrances: Sequence[Ledger] = ()
    gone: Sequence[str] = ()
    telling: Telling | None = None
    known: Settled | None = None
    restated: dict[str, Restated] = field(default_factory=dict)
    history: History | None = None
    store: Store | None = None
    splits: Splits | None = None

    @property
    def worth_writing(self) -> bool:
        """Whether there is more than the board to write."""
        return bool(self.entrances or self.gone or self.telling or self.known or self.splits)

    async def also(self, revision: int, session: Session) -> None:
        """Called inside the board's transaction, maybe more than once."""
        if self.telling is not None:
            await self.telling.write(session)
        if self.known is not None and self.history is not None:
            await self.history.write(self.known, self.restated, session)
        if self.splits is not None and self.store is not None:
            await write_splits(self.store, self.splits, session)


class Leading:
    """The state of one term of leadership; when a write fails, a new term begins by reading it again."""

    def __init__(self, store: Store, knowledge: Knowledge, watermark: Watermark, clock: ClockKind) -> None:
        self._store = store
        self._knowledge = knowledge
        self._watermark = watermark
        self._clock = clock
        self._history = History(store)
        self._settling = Settling()
        self._told = Told()
        self._newest: dict[str, Restated] = {}
        self._settled: Settled | None = None
        self._entrances: dict[str, Ledger] = {}
        self._splits: Splits | None = None
        self._began = True
        self._reached: Sequence[Milestone] = ()
        self._reached_by: tuple[datetime, int] | None = None

    @classmethod
    async def begin(cls, store: Store, knowledge: Knowledge, watermark: Watermark, clock: ClockKind) -> "Leading":
        """A new leader's: reads what was told and what was known."""
        leading = cls(store, knowledge, watermark, clock)
        leading._told = await read_told(store)
        leading._newest = await leading._history.newest()
        leading._settled = await leading._history.settled()
        leading._splits = await read_splits(store)
        leading._entrances = {one.stream: one for one in await Boards(store).entrances()}
        return leading

    def patience_s(self, most_s: float) -> float:
        """How long to wait for a change: not at all while an entrance waits, not long while something settles."""
        as_of = self._knowledge.now().as_of
        if self._knowledge.waiting(as_of):
            return 0.0
        return min(LOOK_EVERY_S, most_s) if self._settling.waits else most_s

    async def make(self, written: Board) -> Made:
        """The next board and what belongs to it."""
        now = self._knowledge.now()
        before = self._knowledge.everything.judged
        judged = await self._knowledge.ledger(now.as_of)
        # An entrance's turn comes when the ledger of all joins stands: nobody waits for that one longer than before.
        fresh = await self._knowledge.one_entrance(now.as_of) if judged is before else None
        gone = sorted(self._entrances.keys() - self._knowledge.entrances())
        if fresh is not None:
            self._entrances[fresh.stream] = fresh
        for stream in gone:
            del self._entrances[stream]
        made = Made(self._board(judged, now), gone=gone, history=self._history, store=self._store)
        if now.as_of is not None:
            await self._settle(made, judged, now.as_of, written.revision + 1)
        made.board = self._board(judged, now)
        if fresh is not None:
            made.entrances = (with_alarms(fresh, self._told.alarms),)
        return made

    def _board(self, judged: Judged, now: Now) -> Board:
        ledger = with_alarms(judged.ledger, self._told.alarms)
        rows = tuple(
            row.model_copy(update={"restated": self._newest[row.id]}) if row.id in self._newest else row
            for row in ledger.publications
        )
        ledger = ledger.model_copy(update={"publications": rows})
        return assemble(self._knowledge.everything.hours, Judged(ledger, judged.days), now)

    async def _settle(self, made: Made, judged: Judged, as_of: datetime, revision: int) -> None:
        """Tells and remembers what stood still while ingest caught up with the log."""
        news = self._news(judged, as_of)
        ledger_claim: Hashable = ("ledger", as_of)
        claims: list[Hashable] = [one.claim for one in news]
        if self._unsettled(as_of):
            claims.append(ledger_claim)
        split_claim = self._split_claim(as_of)
        if split_claim is not None:
            claims.append(split_claim)
        self._settling.see(claims, self._knowledge.read_at)
        if self._settling.asks(time.monotonic()):
            caught_up_at = await self._watermark.passed()
            if caught_up_at is not None:
                self._settling.caught_up(caught_up_at)
        ripe = self._settling.settled(self._knowledge.read_at)
        stale = {stream.name for stream in self._knowledge.waiting(as_of)}
        telling = [one for one in news if one.claim in ripe and one.about.stream not in stale]
        if telling:
            recorded_at = wall_now() if self._clock == "wall" else as_of
            made.telling = Telling(self._store, telling, self._told, recorded_at)
        if ledger_claim in ripe:
            await self._remember(made, judged, revision)
        if split_claim in ripe:
            made.splits = self._splits = await self._split(_last_day(as_of))

    def _news(self, judged: Judged, as_of: datetime) -> list[News]:
        news = [one for ledger in (judged.ledger, *self._entrances.values()) for one in spikes(ledger, self._told)]
        return news + list(milestones(self._milestones(as_of), as_of, self._told))

    def _milestones(self, as_of: datetime) -> Sequence[Milestone]:
        hours = self._knowledge.everything.hours
        if self._reached_by != (as_of, hours.version):
            self._reached_by = (as_of, hours.version)
            self._reached = reached(hours.by_hour(), hour_of(as_of))
        return self._reached

    def _split_claim(self, as_of: datetime) -> Hashable | None:
        """Split figures move once a day; the very first ones wait until nothing moves."""
        hours = self._knowledge.everything.hours
        if self._splits is None:
            return ("splits", hours.version) if hours.members() > 0 else None
        return ("splits", _last_day(as_of)) if _last_day(as_of) > self._splits.day else None

    async def _split(self, day: date) -> Splits:
        accounts = await Accounts.serving(self._store)
        joined = await accounts.joined()
        depths, organisations = await accounts.depths(), await accounts.organisations()
        return splits(day, joined.by_month, joined.left, depths, organisations, self._splits)

    def _unsettled(self, as_of: datetime) -> bool:
        """Whether what is remembered as known is not what is known."""
        known = self._settled
        if known is None or self._began or known.as_of != as_of:
            return True
        return self._late(known)

    def _late(self, known: Settled) -> bool:
        late_from = self._knowledge.late_from
        return late_from is not None and late_from < hour_of(known.as_of)

    async def _remember(self, made: Made, judged: Judged, revision: int) -> None:
        """Restates where a late fact changed what was known, then takes the present ledger as what is known."""
        known = self._settled
        if known is not None and (self._began or self._late(known)):
            then = await self._knowledge.ledger_then(known.as_of)
            made.restated = restated(known, with_alarms(then, self._told.alarms), revision)
        made.known = settled(with_alarms(judged.ledger, self._told.alarms))
        self._newest |= made.restated
        self._settled, self._began = made.known, False
        self._knowledge.late_from = None


def _last_day(as_of: datetime) -> date:
    """The Asia/Tokyo day that is over at `as_of`."""
    return jst_day(as_of) - timedelta(days=1)
