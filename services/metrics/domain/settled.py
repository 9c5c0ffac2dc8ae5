"""When news may be told: ingest had caught up with the log, and a ledger made well after that still says the same."""

from collections.abc import Hashable, Iterable

# Longer than a change takes from the database to the leader; two relays' facts of one moment may be so far apart.
SETTLE_S = 1.5


class Settling:
    """Follows claims over successive ledgers. Times are a monotonic clock's, in seconds."""

    def __init__(self) -> None:
        self._since: dict[Hashable, float] = {}
        self._caught_up_at: float | None = None

    @property
    def waits(self) -> bool:
        """Whether anything has not settled."""
        return bool(self._since)

    def see(self, claims: Iterable[Hashable], made_at: float) -> None:
        """A ledger whose facts were read at `made_at` claims these."""
        self._since = {claim: self._since.get(claim, made_at) for claim in claims}
        if not self._since:
            self._caught_up_at = None

    def asks(self, now: float) -> bool:
        """Whether it is time to look at the log: something waits that has not settled since the last look."""
        oldest = min(self._since.values(), default=None)
        if oldest is None or now - oldest < SETTLE_S:
            return False
        return self._caught_up_at is None or oldest > self._caught_up_at

    def caught_up(self, at: float) -> None:
        """The log held nothing at `at` that was not applied."""
        self._caught_up_at = at

    def settled(self, made_at: float) -> set[Hashable]:
        """The claims that stood before ingest had caught up and still stand in a ledger made well after."""
        if self._caught_up_at is None or made_at < self._caught_up_at + SETTLE_S:
            return set()
        return {claim for claim, since in self._since.items() if since <= self._caught_up_at}
