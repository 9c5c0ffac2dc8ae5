"""Receivers that are slow, silent, endless or bombs: when an attempt on them ends, and what it costs in memory."""

import asyncio
import time

from benchmarks.result import Figure, Result
from benchmarks.scale import Scale
from benchmarks.webhooks.behaviours import HOSTILE
from benchmarks.webhooks.memory import Most
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import JOINED, Stuck, Town, town

_NAMES = (JOINED, "member-left", "session-scheduled", "session-held", "session-cancelled", "archive-corrected")
_LOOK_S = 0.25


async def run(scale: Scale, size: Size) -> Result:
    """One event for each kind, one kind after the other; a healthy delivery before them warms up what is shared."""
    figures = []
    async with town(scale, "hostile") as here:
        await here.settle_in([("normal", None)], [("archive-withdrawn",)])
        await here.publish(50, names=("archive-withdrawn",))
        await here.taken(50, 60)
        (first,) = await here.settle_in([("hung", None)], [("join-voided",)])
        await _attempted(here, first, "join-voided")
        for kind, name in zip(HOSTILE, _NAMES, strict=True):
            scale.say(f"hostile: {kind}")
            (receiver,) = await here.settle_in([(kind, None)], [(name,)])
            before = here.memory_mb()
            async with Most(here) as most:
                duration_s = await _attempted(here, receiver, name)
            await here.move_out([receiver])
            figures += [
                Figure(f"{kind}: the attempt ended after", duration_s, "s", at_most=15.5),
                Figure(f"{kind}: memory grew by at most", most.seen_mb - before, "MB", at_most=1.0),
            ]
    return Result(
        "hostile", figures, ("one attempt each; its time is the log's, memory is RSS, looked at 10 times/s.",)
    )


async def _attempted(here: Town, receiver: int, name: str) -> float:
    """Publishes one event for this receiver; how long the first attempt took."""
    await here.publish(1, names=(name,))
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        for one in await here.log(receiver):
            if one["attempts"]:
                return float(one["attempts"][0]["duration_ms"]) / 1000
        await asyncio.sleep(_LOOK_S)
    raise Stuck(f"{name}: no attempt ended within 40 s")
