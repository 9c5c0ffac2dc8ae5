"""Search in a log of ten million attempts: by endpoint, event, status and time, over the API."""

import random
import time
from datetime import UTC, datetime, timedelta

from benchmarks.child import answer_of
from benchmarks.result import Figure, Result, percentile
from benchmarks.scale import Scale
from benchmarks.webhooks.records import TYPES
from benchmarks.webhooks.size import Size
from benchmarks.webhooks.town import town

_ENDPOINTS = 100
_DAYS = 89


async def run(scale: Scale, size: Size) -> Result:
    """One search at a time, the kinds in turn, each with an endpoint and a moment of its own."""
    async with town(scale, "search") as here:
        receivers = await here.settle_in([("normal", None)] * _ENDPOINTS, [("join-voided",)] * _ENDPOINTS)
        scale.say(f"search: {size.attempts:,} attempts are written")
        spec = {
            "mongo": here.stack.mongo_uri,
            "database": here.store.name,
            "owner": "kairan",
            "endpoints": [here.ids[one] for one in receivers],
            "count": size.attempts,
        }
        written = await answer_of("benchmarks.webhooks.archive", spec, within_s=7_200)
        scale.say(f"search: written in {written['seconds']:.0f} s; {size.searches} searches of each kind")
        events = here.store.collection("deliveries").aggregate([{"$sample": {"size": size.searches}}])
        event_ids = [row["event_id"] async for row in events]
        took_ms: dict[str, list[float]] = {}
        for n in range(size.searches):
            for kind, query in _queries(event_ids[n % len(event_ids)]).items():
                began = time.perf_counter()
                await here.log(random.choice(receivers), **query)
                took_ms.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
    every = [one for some in took_ms.values() for one in some]
    figures = [
        Figure("log search: p95", percentile(every, 0.95), "ms", at_most=300),
        Figure("log search: p50", percentile(every, 0.50), "ms"),
        *(Figure(f"{kind}: p95", percentile(some, 0.95), "ms") for kind, some in took_ms.items()),
    ]
    note = f"{written['deliveries']:,} deliveries of {_ENDPOINTS} endpoints, {size.searches} searches of each kind"
    return Result("search", figures, (note,))


def _queries(event_id: str) -> dict[str, dict[str, str]]:
    """A query of each kind, at a random moment of the log."""
    moment = datetime.now(UTC) - timedelta(days=random.uniform(1, _DAYS))
    window = {"from": moment.isoformat(), "to": (moment + timedelta(days=1)).isoformat()}
    return {
        "of an endpoint": {},
        "of an endpoint and an event type": {"event_type": random.choice(TYPES)},
        "of an endpoint and a status": {"status": random.choice(("500", "5xx"))},
        "of an endpoint and a day": window,
        "of an endpoint, a day and a status": {**window, "status": "503"},
        "of an endpoint and an event": {"event_id": event_id},
    }
