"""The endpoints as of one moment, and who of them hears of which event. Pure."""

from collections.abc import Sequence
from functools import cached_property

from services.notify.domain import OFFERED
from services.notify.endpoint import Endpoint
from services.notify.globs import any_matches


class Listing:
    """The endpoints as of one moment."""

    def __init__(self, endpoints: Sequence[Endpoint] = ()) -> None:
        self.endpoints = endpoints
        self.has_chats = any(one.is_chat for one in endpoints)
        self._hearing: dict[str, Sequence[Endpoint]] = {}

    @cached_property
    def most_hearing(self) -> int:
        """How many hear of the event that most of them hear of, filters aside."""
        return max(len(self.hearing(name)) for name in OFFERED)

    def hearing(self, name: str) -> Sequence[Endpoint]:
        """Those whose patterns fit the event name."""
        found = self._hearing.get(name)
        if found is None:
            found = self._hearing[name] = [one for one in self.endpoints if any_matches(one.event_types, name)]
        return found
