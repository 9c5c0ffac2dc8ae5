"""Why a record cannot be read.

Poison
├── TooLarge        raise nothing by hand: find the producer; the limit is part of the contract
├── BadHeader       the CloudEvents envelope is missing or broken: find the producer
├── UnknownVersion  a newer producer is out: update this reader, then `kairan dlt replay`
├── NotJson         the value cannot be parsed: find the producer
└── WrongSchema     the value is not what the type promises: fix the producer or the model, then replay
"""

from typing import ClassVar


class Poison(Exception):
    """A record that stays unreadable however often it is tried.

    Attributes:
        reason: a short code, fit for a metric label and a dead letter's header.
        detail: words for the operator; never a value from the record.
    """

    reason: ClassVar[str] = "poison"

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.reason}: {detail}")
        self.detail = detail

    def __reduce__(self) -> tuple[type["Poison"], tuple[str]]:
        return type(self), (self.detail,)


class TooLarge(Poison):
    """The value is above the limit of 256 KiB."""

    reason = "too_large"


class BadHeader(Poison):
    """A CloudEvents header is missing, not UTF-8 or not what the specification says."""

    reason = "bad_header"


class UnknownVersion(Poison):
    """A wanted event in a version that this reader does not know, and no known one beside it."""

    reason = "unknown_version"


class NotJson(Poison):
    """The value is not JSON (RFC 8259, UTF-8, at most 200 levels deep)."""

    reason = "not_json"


class WrongSchema(Poison):
    """The value is JSON but not the data that the type promises."""

    reason = "wrong_schema"
