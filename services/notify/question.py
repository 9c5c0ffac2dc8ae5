"""What is asked of the log, and the place in it where an answer goes on: in the words of the collection. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.notify.globs import matches
from services.notify.outcome import DeliveryState, Failure
from services.notify.pairwise import is_stand_in
from services.notify.sample import TYPE as TEST_TYPE
from shared.catalogue import CATALOGUE

STATUS: Final = r"^([1-5][0-9]{2}|[1-5]xx)$"
PLACE: Final = r"^[0-9]{1,13}\.[A-Za-z0-9_-]{1,64}$"
TYPE: Final = r"^[a-z0-9.*-]{1,100}$"
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_ABOVE_ALL_IDS: Final = "~"
_TYPES: Final = (*((one.name, one.type) for one in CATALOGUE.types), ("endpoint-test", TEST_TYPE))


@dataclass(frozen=True)
class Place:
    """Where a page of the log ended: newest first, by the moment of planning and then the id, from high to low."""

    planned_ms: int
    id: str

    @classmethod
    def before(cls, moment: datetime) -> "Place":
        """The place before all deliveries that were planned at this moment."""
        return cls(ms_of(moment), _ABOVE_ALL_IDS)

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Place":
        return cls(ms_of(found["planned_at"]), found["_id"])

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Reads what `str` wrote (`PLACE`)."""
        planned_ms, _, identity = text.partition(".")
        return cls(int(planned_ms), _ABOVE_ALL_IDS if identity == "0" else identity)

    def __str__(self) -> str:
        return f"{self.planned_ms}.{'0' if self.id == _ABOVE_ALL_IDS else self.id}"

    @property
    def planned_at(self) -> datetime:
        return EARLIEST + self.planned_ms * _MS


@dataclass(frozen=True)
class Question:
    """Which deliveries are asked for; None asks for any. `status` is a number or a class (`5xx`).

    `event_id` is the bus's, or the one by which an endpoint was told of the event. `start` is included, `end` is not;
    both are about the moment of planning.
    """

    endpoint_id: str | None = None
    event_type: str | None = None
    event_id: str | None = None
    delivery_id: str | None = None
    state: DeliveryState | None = None
    status: str | None = None
    error: Failure | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def mark(self) -> str | None:
        """What deliveries with such an attempt are marked with, where the question is about failures."""
        if self.error is not None:
            return self.error.value
        return self.status if self.status is not None and self.status[0] not in "12" else None

    @property
    def names_deliveries(self) -> bool:
        """Whether the ids of the deliveries follow from the question: no index is needed to find them."""
        by_event = self.event_id is not None and not is_stand_in(self.event_id)
        return self.delivery_id is not None or by_event

    def conditions(self) -> dict[str, Any]:
        """What a delivery has to be, apart from its endpoint and its time."""
        wanted: dict[str, Any] = {}
        if self.event_type is not None:
            wanted["event_type"] = {"$in": types_like(self.event_type)}
        if self.event_id is not None:
            wanted["told_id" if is_stand_in(self.event_id) else "event_id"] = self.event_id
        if self.state is not None:
            wanted["state"] = self.state
        attempt = self._attempt()
        if attempt:
            wanted["attempts"] = {"$elemMatch": attempt}
        return wanted

    def times(self) -> dict[str, Any]:
        """The range of `planned_at`; never empty, so that an index in its order can be read."""
        start, end = self.start or EARLIEST, self.end or LATEST
        return {"$gte": max(start, EARLIEST), "$lt": min(end, LATEST)}

    def _attempt(self) -> dict[str, Any]:
        attempt: dict[str, Any] = {}
        if self.status is not None:
            whole = self.status.isdigit()
            low = int(self.status) if whole else int(self.status[0]) * 100
            attempt["status"] = low if whole else {"$gte": low, "$lt": low + 100}
        if self.error is not None:
            attempt["failure"] = self.error.value
        return attempt


def types_like(pattern: str) -> list[str]:
    """The CloudEvents types whose name, or which themselves, fit the pattern (`session-*`, `kairan.*.v1`)."""
    return [full for name, full in _TYPES if matches(pattern, name) or matches(pattern, full)]


def ms_of(moment: datetime) -> int:
    """Unix milliseconds, rounded down."""
    return (moment - EARLIEST) // _MS


_MS: Final = datetime.resolution * 1000
