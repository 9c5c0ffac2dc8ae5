"""Whether an endpoint is sent to at all: closed, or open with a probe now and then. A pure state machine.

It opens after 5 failures in a row, or when over half of 20 or more within a minute failed. While it is open one probe
goes after 30 s, then after twice that, up to 15 min; a success, whoever's, closes it. An endpoint that always fails
some has 5 in a row by chance: with 20 % failures, 300 times in a million. So where 20 or more others within the minute
say how often it fails, the row must be one that chance brings in fewer than one of a thousand such minutes.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["closed", "open", "probing"]
ENOUGH: Final = 20
WINDOW_S: Final = 60
_BY_CHANCE: Final = 0.001


@dataclass(frozen=True)
class Rules:
    """`in_a_row` failures or a `share` of them open it; probes after `probe_s` seconds, doubling to `probe_most_s`."""

    in_a_row: int = 5
    share: float = 0.5
    probe_s: float = 30.0
    probe_most_s: float = 900.0


@dataclass(frozen=True)
class Opened:
    """Since when it is open, when the next probe may go (wall clock, Unix milliseconds), and after which wait."""

    since_ms: int
    probe_at_ms: int
    wait_s: float


@dataclass(frozen=True)
class Failing:
    """An unbroken row of failures: when it began, and with which event, if that is known."""

    since_ms: int
    event_type: str | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class Health:
    """What must outlast the process that keeps the lane."""

    failing: Failing | None = None
    opened: Opened | None = None


class Breaker:
    """Told when requests begin and end; all times are wall clock, Unix milliseconds."""

    def __init__(self, rules: Rules, opened: Opened | None = None) -> None:
        self._rules = rules
        self.opened = opened
        self._probing = False
        self._row = 0
        self._seconds: deque[list[int]] = deque()

    @property
    def state(self) -> State:
        if self.opened is None:
            return "closed"
        return "probing" if self._probing else "open"

    @property
    def suspect(self) -> bool:
        """Whether the last answer was a failure."""
        return self._row > 0 or self.opened is not None

    def pause_ms(self, now_ms: int) -> int | None:
        """How long no request may begin: 0 for now, None until the probe has ended."""
        if self.opened is None:
            return 0
        return None if self._probing else max(0, self.opened.probe_at_ms - now_ms)

    def began(self) -> bool:
        """A request begins; whether it is the probe."""
        if self.opened is None:
            return False
        self._probing = True
        return True

    def withdrew(self, *, probe: bool) -> None:
        """The request was not made after all."""
        if probe:
            self._probing = False

    def ended(self, now_ms: int, *, ok: bool, probe: bool) -> None:
        """A request has ended. A failure of one that began before it opened says nothing new."""
        if ok:
            self._succeeded(now_ms)
        elif self.opened is None:
            self._count(now_ms, failed=1)
            self._row += 1
            if self._broken(now_ms):
                self._open(now_ms, now_ms, self._rules.probe_s)
        elif probe:
            self._open(self.opened.since_ms, now_ms, min(self.opened.wait_s * 2, self._rules.probe_most_s))

    def _succeeded(self, now_ms: int) -> None:
        if self.opened is not None:
            self._seconds.clear()
        self.opened, self._probing, self._row = None, False, 0
        self._count(now_ms, failed=0)

    def _open(self, since_ms: int, now_ms: int, wait_s: float) -> None:
        self.opened, self._probing = Opened(since_ms, now_ms + int(wait_s * 1000), wait_s), False

    def _count(self, now_ms: int, failed: int) -> None:
        second = now_ms // 1000
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append([second, 0, 0])
        self._seconds[-1][1] += 1
        self._seconds[-1][2] += failed

    def _broken(self, now_ms: int) -> bool:
        while self._seconds and self._seconds[0][0] <= now_ms // 1000 - WINDOW_S:
            self._seconds.popleft()
        all_of_them, failed = (sum(each[n] for each in self._seconds) for n in (1, 2))
        if all_of_them >= ENOUGH and failed > self._rules.share * all_of_them:
            return True
        row = min(self._row, failed)
        return self._row >= self._rules.in_a_row and not _chance(self._row, all_of_them - row, failed - row)


def _chance(row: int, others: int, failed: int) -> bool:
    """Whether so long a row comes by chance, where `failed` of the `others` did."""
    return others >= ENOUGH and others * (failed / others) ** row > _BY_CHANCE
