"""The breaker: when the share of failures says that we are broken, a consumer stops and stays stopped."""

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shared.store.mongo import Document, Store

_COLLECTION = "stopped_consumers"
_IN_A_ROW = 20
_WINDOW = 100


@dataclass(slots=True)
class Breaker:
    """Counts outcomes: trips at 20 failures in a row, or when more than half of the last 100 failed."""

    in_a_row: int = 0
    window: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def succeeded(self, count: int = 1) -> None:
        self.in_a_row = 0
        self.window.extend([False] * min(count, _WINDOW))

    def failed(self) -> bool:
        """Counts a failure; True when the consumer must stop."""
        self.in_a_row += 1
        self.window.append(True)
        return self.in_a_row >= _IN_A_ROW or sum(self.window) > _WINDOW // 2

    def reset(self) -> None:
        self.in_a_row = 0
        self.window.clear()


async def stop(store: Store, group: str, reason: str) -> None:
    """Stores that `group` must not consume until somebody resumes it."""
    await store.collection(_COLLECTION).update_one(
        {"_id": group}, {"$set": {"reason": reason, "at": datetime.now(UTC)}}, upsert=True
    )


async def stopped(store: Store, group: str) -> Document | None:
    """Why and since when `group` is stopped; None when it is not."""
    found: Document | None = await store.collection(_COLLECTION).find_one({"_id": group})
    return found


async def resume(store: Store, group: str) -> bool:
    """Lets `group` consume again; False when it was not stopped."""
    result = await store.collection(_COLLECTION).delete_one({"_id": group})
    return bool(result.deleted_count)
