"""The commands on endpoints: what an owner asks and what a lane concludes, through the group commit and its outbox."""

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.notify import domain
from services.notify.audit import AUDIT, Operation, entry
from services.notify.domain import DEFAULTS, Change, NewEndpoint
from services.notify.refusals import NotPossible
from services.notify.rotation import NewSecret
from services.notify.store import ENDPOINTS, STAMP
from shared.bus.command import Command, Decide, Decision, IdempotencyKey, NewEvent, Outcome, Refused, State
from shared.bus.commands import Commands
from shared.catalogue import DeliveryExhausted, DisableReason, EndpointFailing

OURSELVES = "kairan-notify"
PLACE_TAKEN = Refused(
    409, "place-taken", "Somebody was faster", "Another of your endpoints was made at the same moment; repeat this one."
)


@dataclass(frozen=True)
class Asked:
    """Who asks for a change (the subject of a token), and under which key."""

    subject: str
    key: IdempotencyKey | None = None


class Registry:
    """Each method returns when its result is durable; raises Refused, and Overloaded when nothing was done.

    What changes an endpoint is audited in the same transaction.
    """

    def __init__(self, commands: Commands) -> None:
        self._commands = commands

    async def create(self, wish: NewEndpoint, asked: Asked) -> Outcome:
        """Raises PLACE_TAKEN when another replica has given the wish's place away."""
        identity = str(uuid.uuid4())
        return await self._commands.execute(
            Command(
                ENDPOINTS,
                identity,
                _decide(identity, lambda _: domain.create(wish), "create", asked, status=201),
                asked.key,
                creates=True,
                may_claim=(wish.place,) if wish.place else (),
                claimed=PLACE_TAKEN,
            )
        )

    async def update(self, endpoint_id: str, fields: Mapping[str, Any], challenging: bool, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, lambda state: domain.update(state, fields, challenging), "update", asked)

    async def verify(self, endpoint_id: str, url: str, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, lambda state: domain.verify(state, url), "verify", asked)

    async def rotate(self, endpoint_id: str, secret: NewSecret, overlap_s: float, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, lambda state: domain.rotate(state, secret, overlap_s), "rotate", asked)

    async def test(self, endpoint_id: str, asked: Asked) -> Outcome:
        """That a test event is asked for; sending it is another step."""
        return await self._change(endpoint_id, domain.test, "test", asked)

    async def pause(self, endpoint_id: str, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, domain.pause, "pause", asked)

    async def resume(self, endpoint_id: str, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, domain.resume, "resume", asked)

    async def reseal(self, endpoint_id: str, seal: Callable[[str], str]) -> Outcome:
        """What is sealed, sealed anew by `seal`; nothing that an owner sees changes."""
        return await self._change(endpoint_id, lambda state: domain.reseal(state, seal), None, Asked(OURSELVES))

    async def delete(self, endpoint_id: str, asked: Asked) -> Outcome:
        return await self._change(endpoint_id, domain.delete, "delete", asked)

    async def disable(self, endpoint_id: str, reason: DisableReason, event_type: str, event_id: str) -> Outcome:
        return await self._change(
            endpoint_id,
            lambda state: domain.disable(state, reason, event_type, event_id),
            "disable",
            Asked(OURSELVES),
        )

    async def exhaust(self, given_up: DeliveryExhausted, delivery_id: str) -> Outcome:
        """Tells the bus that a delivery was given up: once, however often a crash makes us say it."""
        once = IdempotencyKey(OURSELVES, f"exhausted {delivery_id}", "")
        return await self._change(
            given_up.endpoint_id, lambda state: domain.tell(state, given_up), None, Asked(OURSELVES, once)
        )

    async def warn(self, failing: EndpointFailing, since_ms: int) -> None:
        """Tells the bus that an endpoint fails: once for each row of failures and each of its stages."""
        once = IdempotencyKey(OURSELVES, f"failing {failing.endpoint_id} {since_ms} {failing.hours}", "")
        await self._change(failing.endpoint_id, lambda state: domain.tell(state, failing), None, Asked(OURSELVES, once))

    async def _change(
        self, endpoint_id: str, change: Callable[[State | None], Change], operation: Operation | None, asked: Asked
    ) -> Outcome:
        decide = _decide(endpoint_id, change, operation, asked)
        return await self._commands.execute(Command(ENDPOINTS, endpoint_id, decide, asked.key))


def _decide(
    endpoint_id: str,
    change: Callable[[State | None], Change],
    operation: Operation | None,
    asked: Asked,
    status: int = 200,
) -> Decide:
    """The domain's decision in the bus's words; its events happen when they are concluded."""

    def decide(state: State | None) -> Decision:
        try:
            changed = change(state)
        except NotPossible as refusal:
            raise Refused(refusal.status, refusal.slug, refusal.title, refusal.detail) from refusal
        now = datetime.now(UTC)
        lines = (
            [entry(endpoint_id, operation, asked.subject, state or DEFAULTS, changed.state, now)] if operation else ()
        )
        return Decision(
            {**changed.state, STAMP: secrets.randbits(31)},
            tuple(NewEvent(data, now, endpoint_id) for data in changed.events),
            status,
            claims=changed.claims,
            releases=changed.releases,
            also=tuple((AUDIT, line) for line in lines),
        )

    return decide
