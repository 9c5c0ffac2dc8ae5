"""The commands on endpoints: what an owner asks and what a lane concludes, through the group commit and its outbox."""

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from services.notify import domain
from services.notify.domain import Change, NewEndpoint, NotPossible
from services.notify.store import ENDPOINTS
from shared.bus.command import Command, Decide, Decision, IdempotencyKey, NewEvent, Outcome, Refused, State
from shared.bus.commands import Commands
from shared.catalogue import DeliveryExhausted, DisableReason

_OURSELVES = "kairan-notify"


class Registry:
    """Each method returns when its result is durable; raises Refused, and Overloaded when nothing was done."""

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def create(self, wish: NewEndpoint, key: IdempotencyKey | None) -> Outcome:
        return await self._commands.execute(
            Command(
                ENDPOINTS,
                str(uuid.uuid4()),
                _decide(lambda _: domain.create(wish), status=201),
                key,
                creates=True,
            )
        )

    async def update(self, endpoint_id: str, fields: Mapping[str, Any], key: IdempotencyKey | None) -> Outcome:
        return await self._change(endpoint_id, lambda state: domain.update(state, fields), key)

    async def pause(self, endpoint_id: str, key: IdempotencyKey | None) -> Outcome:
        return await self._change(endpoint_id, domain.pause, key)

    async def resume(self, endpoint_id: str, key: IdempotencyKey | None) -> Outcome:
        return await self._change(endpoint_id, domain.resume, key)

    async def delete(self, endpoint_id: str, key: IdempotencyKey | None) -> Outcome:
        return await self._change(endpoint_id, domain.delete, key)

    async def disable(self, endpoint_id: str, reason: DisableReason, event_type: str, event_id: str) -> Outcome:
        return await self._change(endpoint_id, lambda state: domain.disable(state, reason, event_type, event_id), None)

    async def exhaust(self, given_up: DeliveryExhausted, delivery_id: str) -> Outcome:
        """Tells the bus that a delivery was given up: once, however often a crash makes us say it."""
        once = IdempotencyKey(_OURSELVES, f"exhausted {delivery_id}", "")
        return await self._change(given_up.endpoint_id, lambda state: domain.exhaust(state, given_up), once)

    async def _change(
        self, endpoint_id: str, change: Callable[[State | None], Change], key: IdempotencyKey | None
    ) -> Outcome:
        return await self._commands.execute(Command(ENDPOINTS, endpoint_id, _decide(change), key))


def _decide(change: Callable[[State | None], Change], status: int = 200) -> Decide:
    """The domain's decision in the bus's words; its events happen when they are concluded."""

    def decide(state: State | None) -> Decision:
        try:
            changed = change(state)
        except NotPossible as refusal:
            raise Refused(refusal.status, refusal.slug, refusal.title, refusal.detail) from refusal
        subject = str(changed.state.get("_id", ""))
        now = datetime.now(UTC)
        return Decision(changed.state, tuple(NewEvent(data, now, subject) for data in changed.events), status)

    return decide
