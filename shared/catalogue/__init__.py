"""The event catalogue: what the services agree on. CloudEvents 1.0 on Kafka; one frozen model per type and version."""

from shared.catalogue.archive import (
    ArchiveCorrected,
    ArchiveKind,
    ArchivePublished,
    ArchiveWithdrawn,
    Audience,
    Title,
    WithdrawReason,
)
from shared.catalogue.asyncapi import asyncapi
from shared.catalogue.clock import TimePassed
from shared.catalogue.delivery import DeliveryExhausted, DisableReason, EndpointDisabled, EndpointFailing, FailingHours
from shared.catalogue.envelope import Envelope, Event
from shared.catalogue.errors import BadHeader, NotJson, Poison, TooLarge, UnknownVersion, WrongSchema
from shared.catalogue.event_type import EventType
from shared.catalogue.fields import EventData, Id, PersonalClass, UtcTime
from shared.catalogue.growth import GrowthSpikeClosed, GrowthSpikeDetected, GrowthVerdict, MilestoneReached, SpikeKind
from shared.catalogue.member import (
    EraseBasis,
    JoinedPrecision,
    JoinReason,
    JoinSource,
    JoinVoided,
    LeaveReason,
    MemberErased,
    MemberJoined,
    MemberLeft,
    MemberProfile,
    VoidReason,
)
from shared.catalogue.people import event_id_fields, people_of, person_id_fields
from shared.catalogue.registry import CATALOGUE, Catalogue
from shared.catalogue.reserved import RESERVED
from shared.catalogue.session import (
    CancelReason,
    ParticipationMode,
    SessionCancelled,
    SessionHeld,
    SessionRescheduled,
    SessionScheduled,
)
from shared.catalogue.structured import structured
from shared.catalogue.wire import MAX_VALUE_BYTES, Record, Skip, SkipReason, Wire

_WIRE = Wire(CATALOGUE)
encode = _WIRE.encode
encode_all = _WIRE.encode_all
decode = _WIRE.decode

__all__ = [
    "CATALOGUE",
    "MAX_VALUE_BYTES",
    "RESERVED",
    "ArchiveCorrected",
    "ArchiveKind",
    "ArchivePublished",
    "ArchiveWithdrawn",
    "Audience",
    "BadHeader",
    "CancelReason",
    "Catalogue",
    "DeliveryExhausted",
    "DisableReason",
    "EndpointDisabled",
    "EndpointFailing",
    "Envelope",
    "EraseBasis",
    "Event",
    "EventData",
    "EventType",
    "FailingHours",
    "GrowthSpikeClosed",
    "GrowthSpikeDetected",
    "GrowthVerdict",
    "Id",
    "JoinReason",
    "JoinSource",
    "JoinVoided",
    "JoinedPrecision",
    "LeaveReason",
    "MemberErased",
    "MemberJoined",
    "MemberLeft",
    "MemberProfile",
    "MilestoneReached",
    "NotJson",
    "ParticipationMode",
    "PersonalClass",
    "Poison",
    "Record",
    "SessionCancelled",
    "SessionHeld",
    "SessionRescheduled",
    "SessionScheduled",
    "Skip",
    "SkipReason",
    "SpikeKind",
    "TimePassed",
    "Title",
    "TooLarge",
    "UnknownVersion",
    "UtcTime",
    "VoidReason",
    "Wire",
    "WithdrawReason",
    "WrongSchema",
    "asyncapi",
    "decode",
    "encode",
    "encode_all",
    "event_id_fields",
    "people_of",
    "person_id_fields",
    "structured",
]
