"""When another request to an endpoint may begin: its breaker, its places in flight, its pace and its quota. Pure."""

from collections import deque
from typing import Final

from services.notify.breaker import Breaker
from services.notify.outcome import Answer

SLOW_DOWN: Final = frozenset({429, 502, 504})
_MINUTE_MS: Final = 60_000
_SLICE_MS: Final = 100
_GAP_MS: Final = 250
_GAP_MOST_MS: Final = 30_000


class Pace:
    """Halved by an answer that asks for it, recovered step by step: first the places in flight, then a gap between."""

    def __init__(self) -> None:
        self._places: float | None = None
        self._gap_ms = 0
        self._last_ms = 0

    def places(self, in_flight: int) -> int:
        """How many requests may be under way, of the `in_flight` that are set."""
        return in_flight if self._places is None else max(1, min(in_flight, int(self._places)))

    def pause_ms(self, now_ms: int) -> int:
        return max(0, self._last_ms + self._gap_ms - now_ms) if self._gap_ms else 0

    def began(self, now_ms: int) -> None:
        self._last_ms = now_ms

    def slower(self, in_flight: int) -> None:
        places = self.places(in_flight)
        if places > 1:
            self._places = places / 2
        else:
            self._places = 1.0
            self._gap_ms = min(max(_GAP_MS, self._gap_ms * 2), _GAP_MOST_MS)

    def faster(self, in_flight: int) -> None:
        """A quarter of a second less between two; then, as many successes as there are places earn another place."""
        if self._gap_ms:
            self._gap_ms = max(0, self._gap_ms - _GAP_MS)
        elif self._places is not None:
            self._places += 1 / self._places
            if self._places >= in_flight:
                self._places = None


class Quota:
    """At most `per_minute` requests in any 60 s; counted in slices of 0.1 s, so that many cost no more than few."""

    def __init__(self) -> None:
        self._slices: deque[list[int]] = deque()
        self._count = 0

    def pause_ms(self, now_ms: int, per_minute: int | None) -> int:
        while self._slices and self._slices[0][0] <= now_ms - _MINUTE_MS - _SLICE_MS:
            self._count -= self._slices.popleft()[1]
        if per_minute is None or self._count < per_minute:
            return 0
        return self._slices[0][0] + _MINUTE_MS + _SLICE_MS - now_ms

    def began(self, now_ms: int) -> None:
        start = now_ms - now_ms % _SLICE_MS
        if not self._slices or self._slices[-1][0] != start:
            self._slices.append([start, 0])
        self._slices[-1][1] += 1
        self._count += 1


class Gate:
    """One endpoint's. `in_flight` and `per_minute` are asked for anew each time: its owner may change them."""

    def __init__(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self._pace = Pace()
        self._quota = Quota()

    def pause_ms(self, now_ms: int, flying: int, in_flight: int, per_minute: int | None) -> int | None:
        """How long none may begin beside the `flying` ones: 0 for now, None until one of them has ended."""
        broken = self.breaker.pause_ms(now_ms)
        if broken is None or flying >= self._pace.places(in_flight):
            return None
        return max(broken, self._pace.pause_ms(now_ms), self._quota.pause_ms(now_ms, per_minute))

    def began(self, now_ms: int) -> bool:
        """Whether this one is the probe."""
        self._pace.began(now_ms)
        self._quota.began(now_ms)
        return self.breaker.began()

    def ended(self, answer: Answer, now_ms: int, in_flight: int, *, probe: bool) -> None:
        ok = answer.failure is None
        self.breaker.ended(now_ms, ok=ok, probe=probe)
        if answer.status in SLOW_DOWN:
            self._pace.slower(in_flight)
        elif ok:
            self._pace.faster(in_flight)
