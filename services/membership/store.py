"""The members in MongoDB: commands go through the group commit, reads come from the collection."""

import uuid

from services.membership import domain
from services.membership.domain import Erase, Join, Leave, Void
from shared.bus.command import Command, Decide, Decision, IdempotencyKey, Outcome, Refused, Requirement, State
from shared.bus.commands import Commands
from shared.store.mongo import Store

MEMBERS = "members"
IMPORTS = "imports"
_TAKEN = Refused(409, "email-taken", "E-mail is taken", "Another member has this address.")
_NO_REFERRER = Refused(409, "referrer-unknown", "Referrer is unknown", "There is no member with the id in referrer_id.")


class Members:
    """Who belongs, as this service keeps it."""

    def __init__(self, store: Store, commands: Commands) -> None:
        self._members = store.collection(MEMBERS)
        self._commands = commands

    async def find(self, member_id: str) -> State | None:
        """The member's document, or None."""
        found: State | None = await self._members.find_one({"_id": member_id})
        return found

    async def join(self, command: Join, key: IdempotencyKey | None, *, repeatable: bool = False) -> Outcome:
        """Adds a member; `repeatable`: the id may have been used by an earlier attempt, so look first."""
        referrer = command.said.referrer_id
        return await self._commands.execute(
            Command(
                MEMBERS,
                command.member_id,
                lambda state: domain.join(state, command),
                key,
                creates=not repeatable,
                requires=(Requirement(MEMBERS, referrer, _NO_REFERRER),) if referrer else (),
                may_claim=domain.claims_of(command.said),
                claimed=_TAKEN,
            )
        )

    async def begin_import(self, key: IdempotencyKey, rows: int) -> None:
        """Notes that an import with this key is made of these bytes; refuses the key for any others."""
        decision = Decision(state={"rows": rows})
        await self._commands.execute(Command(IMPORTS, str(key.command_id), lambda _: decision, key))

    async def leave(self, command: Leave, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.member_id, lambda state: domain.leave(state, command), key)

    async def void(self, command: Void, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.member_id, lambda state: domain.void(state, command), key)

    async def erase(self, command: Erase, key: IdempotencyKey | None) -> Outcome:
        return await self._change(command.member_id, lambda state: domain.erase(state, command), key)

    async def _change(self, member_id: str, decide: Decide, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(Command(MEMBERS, member_id, decide, key))


def new_id() -> str:
    """A random id: it says nothing about anybody."""
    return str(uuid.uuid4())
