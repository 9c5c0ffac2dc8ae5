"""A log of many attempts, written straight into the database by a process of its own: what years of running leave.

Told: `mongo`, `database`, `owner`, `endpoints` (ids), `count` (attempts). Nineteen of twenty deliveries came at once;
one failed twice before, so that it has three attempts. They lie evenly in the last 89 days; payloads are of the last 7.
"""

import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import MongoClient

from benchmarks.child import tell, told
from benchmarks.webhooks.records import TYPES
from services.notify.outcome import Answer, Failure
from shared.store.mongo import Binary

_SPAN: Final = timedelta(days=89)
_PAYLOADS: Final = timedelta(days=7)
_PAGE: Final = 2_000
_FAILED_EVERY, _TRIES = 20, 3
_PER_DELIVERY: Final = (_FAILED_EVERY - 1 + _TRIES) / _FAILED_EVERY
_BODY: Final = Binary(b'{"specversion":"1.0","data":"%s"}' % (b"x" * 460))


def deliveries(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The documents, the oldest first."""
    now, count = datetime.now(UTC), int(spec["count"] / _PER_DELIVERY)
    for n in range(count):
        planned_at = now - _SPAN * (1 - n / count)
        failed = n % _FAILED_EVERY == 0
        at_ms = int(planned_at.timestamp() * 1000)
        tries = [(random.choice((500, 503)), Failure.STATUS)] * (_TRIES - 1) if failed else []
        answers = [Answer(*one, 12.5) for one in (*tries, (204, None))]
        document = {
            "_id": f"msg_{uuid.uuid4().hex}",
            "endpoint": spec["endpoints"][n % len(spec["endpoints"])],
            "owner": spec["owner"],
            "sequence": n // len(spec["endpoints"]) + 1,
            "event_type": f"kairan.{TYPES[n % len(TYPES)]}.v1",
            "event_id": str(uuid.uuid4()),
            "recorded_ms": at_ms,
            "state": "delivered",
            "made": len(answers),
            "next_at_ms": at_ms,
            "planned_at": planned_at,
            "done_at": planned_at + timedelta(seconds=306 if failed else 0),
            "attempts": [
                {"at_ms": at_ms, "status": one.status, "duration_ms": one.duration_ms, "failure": one.failure}
                for one in answers
            ],
            "person": str(uuid.uuid4()),
        }
        marks = sorted({mark for one in answers if one.failure for mark in one.marks()})
        document |= {"marks": marks} if marks else {}
        document |= {"body": _BODY} if now - planned_at < _PAYLOADS else {}
        yield document


def fill(spec: dict[str, Any]) -> int:
    """How many deliveries were written."""
    collection: Any = MongoClient(spec["mongo"])[spec["database"]]["deliveries"]
    page: list[dict[str, Any]] = []
    written = 0
    for document in deliveries(spec):
        page.append(document)
        if len(page) == _PAGE:
            collection.insert_many(page, ordered=False)
            written += len(page)
            page = []
    if page:
        collection.insert_many(page, ordered=False)
    return written + len(page)


if __name__ == "__main__":
    started = time.perf_counter()
    tell({"deliveries": fill(told()), "seconds": time.perf_counter() - started})
