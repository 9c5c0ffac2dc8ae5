"""Sessions, archives and the clock in MongoDB: commands go through the group commit, reads to the collections."""

import secrets
import uuid
from datetime import datetime

from services.events import domain
from services.events.domain import CLOCK, Cancel, Correct, Hold, Publish, Reschedule, Schedule, Withdraw
from shared.bus.command import Command, Decide, IdempotencyKey, Outcome, Refused, Requirement, State
from shared.bus.commands import Commands
from shared.store.mongo import Store

SESSIONS = "sessions"
ARCHIVES = "archives"
CLOCKS = "clock"
_NO_SESSION = Refused(409, "session-unknown", "Session is unknown", "There is no session with the id in session_id.")


class Sessions:
    """The sessions, as this service keeps them."""

    def __init__(self, store: Store, commands: Commands) -> None:
        self._sessions = store.collection(SESSIONS)
        self._commands = commands

    async def find(self, session_id: str) -> State | None:
        """The session's document, or None."""
        found: State | None = await self._sessions.find_one({"_id": session_id})
        return found

    async def schedule(self, command: Schedule, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(
            Command(SESSIONS, command.session_id, lambda state: domain.schedule(state, command), key, creates=True)
        )

    async def reschedule(self, command: Reschedule, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.session_id, lambda state: domain.reschedule(state, command), key)

    async def cancel(self, command: Cancel, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.session_id, lambda state: domain.cancel(state, command), key)

    async def hold(self, command: Hold, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.session_id, lambda state: domain.hold(state, command), key)

    async def _change(self, session_id: str, decide: Decide, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(Command(SESSIONS, session_id, decide, key))


class Archives:
    """The archives and publications, as this service keeps them."""

    def __init__(self, store: Store, commands: Commands) -> None:
        self._archives = store.collection(ARCHIVES)
        self._commands = commands

    async def find(self, archive_id: str) -> State | None:
        """The archive's document, or None."""
        found: State | None = await self._archives.find_one({"_id": archive_id})
        return found

    async def publish(self, command: Publish, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(
            Command(
                ARCHIVES,
                command.archive_id,
                lambda state: domain.publish(state, command),
                key,
                creates=True,
                requires=_known(command.said.session_id),
            )
        )

    async def correct(self, command: Correct, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(
            Command(
                ARCHIVES,
                command.archive_id,
                lambda state: domain.correct(state, command),
                key,
                requires=_known(command.said.session_id),
            )
        )

    async def withdraw(self, command: Withdraw, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(
            Command(ARCHIVES, command.archive_id, lambda state: domain.withdraw(state, command), key)
        )


class StreamClock:
    """The clock of a replayed year, as this service tells it."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def pass_time(self, until: datetime, key: IdempotencyKey | None) -> Outcome:
        """Says that all before `until` has been told."""
        return await self._commands.execute(Command(CLOCKS, CLOCK, lambda state: domain.pass_time(state, until), key))


def new_id() -> str:
    """A random id."""
    return str(uuid.uuid4())


def new_link_code() -> str:
    """A random code for a short link: 12 characters, 72 bits."""
    return secrets.token_urlsafe(9)


def _known(session_id: str | None) -> tuple[Requirement, ...]:
    return (Requirement(SESSIONS, session_id, _NO_SESSION),) if session_id else ()
