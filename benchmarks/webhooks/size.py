"""How much each measure does: the acceptance table's numbers, or a share of them."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Size:
    """Seconds and counts of a full run."""

    sustained_s: float = 120.0
    endpoints: int = 1_000
    latency_s: float = 60.0
    hung_s: float = 120.0
    deliveries: int = 30_000
    waiting: int = 100_000
    attempts: int = 10_000_000
    searches: int = 200
    events: int = 1_000_000

    @classmethod
    def share(cls, share: float) -> Self:
        """A run of this share (0 to 1) of the seconds and counts, but of each enough to measure."""
        full = cls()
        return cls(
            sustained_s=max(3.0, full.sustained_s * share),
            endpoints=max(20, int(full.endpoints * share)),
            latency_s=max(3.0, full.latency_s * share),
            hung_s=max(5.0, full.hung_s * share),
            deliveries=max(500, int(full.deliveries * share)),
            waiting=max(1_000, int(full.waiting * share)),
            attempts=max(10_000, int(full.attempts * share)),
            searches=max(10, int(full.searches * share)),
            events=max(2_000, int(full.events * share)),
        )
