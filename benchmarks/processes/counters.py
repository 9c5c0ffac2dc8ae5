"""The projection that both consumers of the benchmark `projection` write, and the watch that both are timed by."""

import gc
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pymongo import UpdateOne

COLLECTION = "counters"


def increments(joins: Iterable[tuple[datetime, int]]) -> list[Any]:
    """Joins (moment, partition) as one upsert for each hour and partition."""
    cells = Counter((int(moment.timestamp()) // 3600, partition) for moment, partition in joins)
    return [
        UpdateOne({"_id": f"{hour}|{partition}"}, {"$inc": {"joins": joins}}, upsert=True)
        for (hour, partition), joins in cells.items()
    ]


class Watch:
    """From the beginning of the first transaction to the end of the last."""

    def __init__(self) -> None:
        self._wall_s = self._cpu_s = 0.0
        self.transactions = 0

    def begins(self) -> None:
        """A transaction begins."""
        if not self._wall_s:
            gc.collect()
            gc.freeze()  # as `shared.web.serve` does for every service
            self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    def ended(self) -> None:
        """A transaction has ended well."""
        self.transactions += 1

    def answer(self) -> dict[str, Any]:
        """What a process tells at the end."""
        return {
            "wall_s": time.perf_counter() - self._wall_s,
            "cpu_s": time.process_time() - self._cpu_s,
            "transactions": self.transactions,
        }
