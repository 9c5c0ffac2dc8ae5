"""What membership hears: no other service's events, only how far a replayed or demo year has come."""

from collections.abc import Sequence

from shared.bus.clock_follower import ClockFollower
from shared.clock import Clock
from shared.settings import ServiceSettings
from shared.web.service import Part


def listeners(clock: Clock, settings: ServiceSettings) -> Sequence[Part]:
    """The parts that listen: on the wall clock there is nothing to hear."""
    return [ClockFollower(clock, settings.kafka)] if clock.kind == "stream" else []
