"""Sending again, as owners ask for it: see first what it comes to, then say so; skip what is not to be sent."""

import time
import uuid
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import structlog
from aiokafka.errors import KafkaError

from services.notify.desk import Desk, owner_of
from services.notify.endpoint import Endpoints
from services.notify.history import Records
from services.notify.log import NO_DELIVERY, Log, as_told
from services.notify.planning import Planned, unique
from services.notify.replay_store import EXAMPLES, RECEIVING, Counted, ReplayStore, TooMuch
from services.notify.selection import History, OneDelivery, Selection, canonical, read
from services.notify.vault import Vault, VaultError
from shared.bus.command import Refused
from shared.clock import moment_of, wall_ms
from shared.store.mongo import Document
from shared.web.auth import Caller
from shared.web.problems import unavailable

log = structlog.get_logger(__name__)

PREVIEW_HOLDS_S: Final = 600
MOST_RUNNING: Final = 10
_READ_MOST_S: Final = 10.0
_NAMES: Final = uuid.UUID("6a1b6f0e-4c2c-4a53-9a5e-2a6f1f0c7d11")

NO_REPLAY: Final = Refused(404, "no-such-replay", "No such replay", "There is no replay with this id.")
NOTHING_NOW: Final = Refused(
    409,
    "endpoint-receives-nothing",
    "The endpoint receives nothing",
    "It is disabled or not verified yet: resume or verify it first.",
)
DOES_NOT_FIT: Final = Refused(
    409,
    "preview-does-not-fit",
    "The token is not of this preview",
    "Ask for a preview of just this selection for this endpoint, and give its token.",
)
EXPIRED: Final = Refused(
    412, "preview-expired", "The preview is too old", "A preview holds for 10 minutes; ask for a new one."
)
TOO_MUCH: Final = Refused(
    409, "selection-too-wide", "That is too much to count", "Choose a shorter time, or fewer event types."
)
TOO_MANY: Final = Refused(
    409, "too-many-replays", "Too many replays", f"{MOST_RUNNING} of this endpoint wait or run; stop one of them."
)
ENDED: Final = Refused(
    409, "delivery-ended", "The delivery has ended", "Only one that waits, or blocks, can be skipped."
)


@dataclass(frozen=True)
class Preview:
    """What a replay would come to, and the token that starts just this one until `expires_ms` (wall, Unix)."""

    selection: Selection
    counted: Counted
    token: str
    expires_ms: int


class Replays:
    """Each method raises Refused in words for the caller, StoreError when the database is away."""

    def __init__(
        self, store: ReplayStore, records: Records, desk: Desk, log: Log, endpoints: Endpoints, vault: Vault
    ) -> None:
        self._store = store
        self._records = records
        self._desk = desk
        self._log = log
        self._endpoints = endpoints
        self._vault = vault

    async def preview(self, endpoint_id: str, selection: Selection, caller: Caller) -> Preview:
        """Counts, and changes nothing."""
        endpoint = await self._sendable(endpoint_id, caller)
        now_ms = wall_ms()
        up_to = await self._log.last_number(endpoint_id)
        if isinstance(selection, History):
            end = selection.history.end or moment_of(now_ms)
            selection = selection.model_copy(update={"history": selection.history.model_copy(update={"end": end})})
            counted = await self._count_history(endpoint, selection)
        else:
            counted = await self._count(endpoint_id, selection, up_to)
        counted = replace(counted, examples=[as_told(one, caller) for one in counted.examples])
        expires_ms = now_ms + PREVIEW_HOLDS_S * 1000
        said = {
            "endpoint": endpoint_id,
            "subject": caller.subject,
            "selection": canonical(selection),
            "count": counted.count,
            "up_to": up_to,
            "expires_ms": expires_ms,
        }
        return Preview(selection, counted, self._vault.seal(orjson.dumps(said)), expires_ms)

    async def start(self, endpoint_id: str, token: str, selection: Selection | None, caller: Caller) -> Document:
        """A replay of what was previewed; the same one when the token comes again. `selection`, if said, must fit."""
        endpoint = await self._sendable(endpoint_id, caller)
        said = self._said(token)
        if said is None or (said["endpoint"], said["subject"]) != (endpoint_id, caller.subject):
            raise DOES_NOT_FIT
        previewed = read(said["selection"])
        if selection is not None and not _same(selection, previewed):
            raise DOES_NOT_FIT
        identity = str(uuid.uuid5(_NAMES, token))
        known = await self._store.replay(identity)
        if known is not None:
            return known
        if wall_ms() > said["expires_ms"]:
            raise EXPIRED
        if len(await self._store.running(endpoint_id)) >= MOST_RUNNING:
            raise TOO_MANY
        return await self._store.begin(identity, endpoint, previewed, said["count"], said["up_to"])

    async def show(self, replay_id: str, caller: Caller) -> Document:
        found = await self._store.replay(replay_id)
        if found is None or owner_of(caller) not in (None, found["owner"]):
            raise NO_REPLAY
        return found

    async def list(self, endpoint_id: str, caller: Caller) -> list[Document]:
        """The last 100 of an endpoint, the newest first."""
        await self._desk.show(endpoint_id, caller)
        return await self._store.latest(endpoint_id)

    async def stop(self, replay_id: str, caller: Caller) -> Document:
        """What it has let wait is still sent; nothing more is."""
        await self.show(replay_id, caller)
        await self._store.end(replay_id, "stopped", "owner")
        return await self.show(replay_id, caller)

    async def skip(self, delivery_id: str, caller: Caller) -> Document:
        """Gives up a delivery that waits or that holds up those behind it."""
        found = await self._log.show(delivery_id, caller)
        if not await self._store.skip(found):
            raise ENDED
        return await self._log.show(delivery_id, caller)

    async def _sendable(self, endpoint_id: str, caller: Caller) -> Document:
        endpoint = await self._desk.show(endpoint_id, caller)
        if endpoint["state"] not in RECEIVING:
            raise NOTHING_NOW
        return endpoint

    def _said(self, token: str) -> dict[str, Any] | None:
        try:
            said: dict[str, Any] = orjson.loads(self._vault.open(token))
        except (VaultError, ValueError):
            return None
        return said if "up_to" in said else None

    async def _count(self, endpoint_id: str, selection: Selection, up_to: int) -> Counted:
        try:
            counted = await self._store.count(endpoint_id, selection, up_to)
        except TooMuch:
            raise TOO_MUCH from None
        if isinstance(selection, OneDelivery) and not counted.count + counted.gone:
            raise NO_DELIVERY
        return counted

    async def _count_history(self, document: Document, selection: History) -> Counted:
        (endpoint,) = self._endpoints.of([document])
        assert selection.history.end is not None
        counting = _Counting()
        deadline = time.monotonic() + _READ_MOST_S
        try:
            stretch = await self._records.stretch(selection.history.start, selection.history.end)
            async for found in self._records.read(stretch, endpoint, selection):
                planned = unique(found.planned)
                there = await self._store.with_payload([one.id for one in planned])
                counting.add([one for one in planned if not there.get(one.id)])
                if time.monotonic() > deadline:
                    raise TOO_MUCH
        except KafkaError as error:
            log.info("history_unread", error=type(error).__name__)
            raise unavailable("The log of events does not answer. Repeat the request.") from None
        return counting.counted()


class _Counting:
    """What of history is missing."""

    def __init__(self) -> None:
        self._count = 0
        self._oldest_ms = self._newest_ms = 0
        self._examples: list[Document] = []

    def add(self, missing: list[Planned]) -> None:
        for one in missing:
            self._oldest_ms = min(self._oldest_ms or one.recorded_ms, one.recorded_ms)
            self._newest_ms = max(self._newest_ms, one.recorded_ms)
            if len(self._examples) < EXAMPLES:
                self._examples.append(_example(one))
        self._count += len(missing)

    def counted(self) -> Counted:
        oldest, newest = (moment_of(ms) if self._count else None for ms in (self._oldest_ms, self._newest_ms))
        return Counted(self._count, 0, None, None, oldest, newest, self._examples)


def _example(one: Planned) -> Document:
    return {
        "_id": one.id,
        "sequence": None,
        "event_type": one.event_type,
        "event_id": one.event_id,
        "told_id": one.told_id,
        "state": None,
        "planned_at": moment_of(one.recorded_ms),
    }


def _same(said: Selection, previewed: Selection) -> bool:
    """Whether they mean the same; the preview has settled where an open stretch of history ends."""
    if isinstance(said, History) and isinstance(previewed, History) and said.history.end is None:
        said = said.model_copy(update={"history": said.history.model_copy(update={"end": previewed.history.end})})
    return canonical(said) == canonical(previewed)
