"""What the bodies of requests are made of: strict models, moments that bring their zone, texts without control
characters. Pure, since commands carry such bodies into the domains."""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

ONE_LINE = r"^[^\u0000-\u001f\u007f]*$"
"""The pattern of a text without control characters."""

LINES = r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$"
"""The pattern of a text whose only control characters are line breaks and tabs."""


def rfc_3339(value: object) -> object:
    """The time that a text says; raises ValueError for other texts. What is no text is passed on, to be refused."""
    if not isinstance(value, str):
        return value
    if not RFC_3339.fullmatch(value):
        raise ValueError("a time is written as in RFC 3339, with its zone: 2022-03-31T12:00:00+09:00")
    return datetime.fromisoformat(value.upper())


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Stands in an integer's `Annotated`: JSON Schema counts 3.0 as an integer, so it is one here too."""

Moment = Annotated[AwareDatetime, BeforeValidator(rfc_3339)]
"""A moment with its zone. Pydantic alone would also take a number of seconds, which could be of any unit."""

RecordedAt = Annotated[
    Moment | None, Field(description="When it was recorded; only on a stream clock, with history:write.")
]


class RequestBody(BaseModel):
    """The base of what a client may say: unknown fields and other types are refused, an error never quotes a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
