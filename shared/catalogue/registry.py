"""The registry of all event types, found by CloudEvents type, by name or by model."""

from collections.abc import Iterable

from shared.catalogue import archive, clock, delivery, growth, member, session
from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData
from shared.catalogue.upcast import DOWNCASTERS, UPCASTERS, Casters


class Catalogue:
    """A closed set of event types with their upcasters and downcasters.

    Raises:
        ValueError: two entries share a type or a model, versions have gaps, or an upcaster is missing.
    """

    def __init__(
        self, types: Iterable[EventType], *, upcasters: Casters | None = None, downcasters: Casters | None = None
    ) -> None:
        self.types = tuple(types)
        self.upcasters = upcasters if upcasters is not None else {}
        self.downcasters = downcasters if downcasters is not None else {}
        self._by_type = {entry.type: entry for entry in self.types}
        self._by_model = {entry.model: entry for entry in self.types}
        self._versions: dict[str, dict[int, EventType]] = {}
        for entry in self.types:
            self._versions.setdefault(entry.name, {})[entry.version] = entry
        self._refuse_nonsense()

    def _refuse_nonsense(self) -> None:
        if not len(self.types) == len(self._by_type) == len(self._by_model):
            raise ValueError("two event types share a type or a model")
        for name, versions in self._versions.items():
            if sorted(versions) != list(range(1, len(versions) + 1)):
                raise ValueError(f"{name}: the versions must be 1..n without a gap; old ones stay in the log for ever")
            missing = [version for version in range(1, len(versions)) if (name, version) not in self.upcasters]
            if missing:
                raise ValueError(f"{name}: no upcaster from version {missing[0]}")

    def by_type(self, ce_type: str) -> EventType | None:
        """The entry of a CloudEvents type, or None when it is not known."""
        return self._by_type.get(ce_type)

    def by_name(self, name: str, version: int | None = None) -> EventType:
        """The entry of a name: the given version, or the newest. Raises KeyError when it is not known."""
        versions = self._versions[name]
        return versions[version if version is not None else len(versions)]

    def for_model(self, model: type[EventData]) -> EventType:
        """The entry whose data this model is. Raises KeyError when it is not known."""
        return self._by_model[model]

    def names(self) -> tuple[str, ...]:
        """All event names that are published, in catalogue order."""
        return tuple(self._versions)

    def versions(self, name: str) -> tuple[int, ...]:
        """The known versions of a name, ascending; empty when the name is not known."""
        return tuple(sorted(self._versions.get(name, ())))

    def sent(self, entry: EventType) -> bool:
        """Whether it is sent today: the newest version of its name, or a lower one during an overlap."""
        above = range(entry.version + 1, len(self._versions[entry.name]) + 1)
        return all((entry.name, version) in self.downcasters for version in above)

    def of_service(self, service: str) -> tuple[EventType, ...]:
        """Everything that a service sends today."""
        return tuple(entry for entry in self.types if entry.publisher == service and self.sent(entry))

    def topics_of(self, service: str) -> tuple[str, ...]:
        """The topics that a service publishes on."""
        return tuple(dict.fromkeys(entry.topic for entry in self.of_service(service)))

    def topics(self) -> tuple[str, ...]:
        """All topics that have a published type."""
        return tuple(dict.fromkeys(entry.topic for entry in self.types))


CATALOGUE = Catalogue(
    (*member.TYPES, *session.TYPES, *archive.TYPES, *growth.TYPES, *delivery.TYPES, *clock.TYPES),
    upcasters=UPCASTERS,
    downcasters=DOWNCASTERS,
)
