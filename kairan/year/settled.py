"""Waiting until the ledger knows everything that was sent."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kairan.stack.errors import StackError
from kairan.year.speaker import Speaker

LOOK_EVERY_S = 0.2
STUCK_S = 60.0


class NotSettled(StackError):
    """The ledger has stopped moving before it knew everything; the text says what is missing."""


@dataclass(frozen=True)
class Sent:
    """What the ledger has to know in the end."""

    as_of: datetime
    joins: int
    publications: int

    def missing(self, ledger: dict[str, Any]) -> str:
        """In words; empty when nothing is missing."""
        said = ledger["as_of"]
        as_of = datetime.fromisoformat(said) if said else None
        words = []
        if as_of != self.as_of:
            words.append(f"it is as of {said or 'nothing yet'}, not {self.as_of.astimezone(UTC).isoformat()}")
        if ledger["joins"] != self.joins:
            words.append(f"it counts {ledger['joins']} joins, not {self.joins}")
        if len(ledger["publications"]) != self.publications:
            words.append(f"it has {len(ledger['publications'])} publications, not {self.publications}")
        return "; ".join(words)


async def settle(
    speaker: Speaker, sent: Sent, tell: Callable[[int], None] = lambda joins: None, stuck_s: float = STUCK_S
) -> dict[str, Any]:
    """The ledger of metrics once it knows all that was sent. Raises `NotSettled` if it stands still for `stuck_s`."""
    seen, since = -1, time.monotonic()
    while True:
        ledger = await speaker.read("metrics", "/v1/ledger")
        missing = sent.missing(ledger)
        tell(int(ledger["joins"]))
        if not missing:
            return ledger
        if ledger["revision"] != seen:
            seen, since = ledger["revision"], time.monotonic()
        if time.monotonic() - since > stuck_s:
            raise NotSettled(f"the ledger has not moved for {stuck_s:g} s: {missing}")
        await asyncio.sleep(LOOK_EVERY_S)


def named_as(ledger: Mapping[str, Any], own: Mapping[str, str]) -> dict[str, Any]:
    """The ledger with the ids that a player's input had; `own` has them by the ids that the services gave."""
    rows = [
        {**row, "id": own[row["id"]], "joint_with": [own[other] for other in row.get("joint_with", ())]}
        for row in ledger["publications"]
    ]
    return {**ledger, "publications": rows}
