"""One event type: a name, a version, its topic and its model."""

from dataclasses import dataclass

from shared.catalogue.fields import EventData

Service = str
TYPE_PREFIX = "kairan."


@dataclass(frozen=True)
class EventType:
    """What the bus knows about one version of one event.

    Attributes:
        name: what people say, e.g. `member-joined`.
        version: from 1; a breaking change is a new one.
        topic: the Kafka topic; the record's key is the event's subject.
        model: the data. One model belongs to exactly one type.
        publisher: the only service that sends it.
        subject: what the subject (and key) is the id of, e.g. `member`.
        subject_is_person: the subject is a person's id.
        tombstones: an event without data is allowed (compacted topic).
    """

    name: str
    version: int
    topic: str
    model: type[EventData]
    publisher: str
    summary_en: str
    summary_ja: str
    subject: str
    subject_is_person: bool = False
    tombstones: bool = False

    @property
    def type(self) -> str:
        """The CloudEvents type, e.g. `kairan.member-joined.v1`."""
        return f"{TYPE_PREFIX}{self.name}.v{self.version}"

    @property
    def dataschema(self) -> str:
        """The CloudEvents dataschema, e.g. `urn:kairan:schema:member-joined:v1`."""
        return f"urn:kairan:schema:{self.name}:v{self.version}"
