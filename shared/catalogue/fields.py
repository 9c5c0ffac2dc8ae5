"""What every event's data is made of: the base model and the documented kinds of field."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

PersonalClass = Literal["none", "person_id", "personal"]
"""`none`: says nothing about a person. `person_id`: a person's random id. `personal`: could single a person out."""


class EventData(BaseModel):
    """Base of all event data. Readers ignore fields that they do not know; `repr` and errors never spill a value."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        return iter(())

    def __str__(self) -> str:
        return repr(self)


def about(description: str, *, unit: str | None = None, personal: PersonalClass = "none", names: str = "") -> Any:
    """The documentation of one field, to stand in its `Annotated`.

    Args:
        description: what the value means, in words.
        unit: what one of it is; None where it has none (codes, ids, text).
        personal: what it says about a person.
        names: what an id is the id of (`event`, `theme`, ...); empty where the value is no id.
    """
    extra: dict[str, Any] = {"x-class": personal}
    if unit:
        extra["unit"] = unit
    if names:
        extra["x-id-of"] = names
    return Field(description=description, json_schema_extra=extra)


def _in_utc(time: datetime) -> datetime:
    return time.astimezone(UTC)


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)]
"""An id: 1 to 128 characters that are safe in a header, a path and a log. Free text cannot hide in it."""

UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment; given in any zone, kept and written in UTC."""
