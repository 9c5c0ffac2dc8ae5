"""The form by which deliveries are searched: its fields are the API's; moments are typed in Japan's time."""

from datetime import datetime
from typing import Annotated, Self
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from services.notify.outcome import DeliveryState, Failure
from services.notify.portal.visit import Visit
from services.notify.question import PLACE, STATUS, TYPE, Place, Question
from shared.clock import JST


def in_japan(text: str) -> datetime | str:
    """The moment that was typed. What is none stays text, so that the rules of its field refuse it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=JST)


Typed = Annotated[AwareDatetime, BeforeValidator(in_japan), Strict()]
Identity = Annotated[str, Field(max_length=64)]


class Search(BaseModel):
    """What was typed; nothing where nothing was."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    endpoint: Identity | None = None
    event_type: Annotated[str, Field(pattern=TYPE)] | None = None
    delivery_id: Identity | None = None
    state: DeliveryState | None = None
    status: Annotated[str, Field(pattern=STATUS)] | None = None
    error: Failure | None = None
    start: Typed | None = Field(None, alias="from")
    end: Typed | None = Field(None, alias="to")
    after: Annotated[str, Field(pattern=PLACE)] | None = None

    @classmethod
    def read(cls, typed: dict[str, str]) -> Self:
        """Raises ValidationError that names the field which cannot be read."""
        return cls.model_validate({name: text for name, text in typed.items() if text})

    @property
    def question(self) -> Question:
        return Question(
            self.endpoint,
            self.event_type,
            delivery_id=self.delivery_id,
            state=self.state,
            status=self.status,
            error=self.error,
            start=self.start,
            end=self.end,
        )

    @property
    def place(self) -> Place | None:
        return None if self.after is None else Place.parse(self.after)


FIELDS = tuple(field.alias or name for name, field in Search.model_fields.items())


def typed(visit: Visit) -> dict[str, str]:
    """The fields as they were typed, to be shown again."""
    return {name: visit.asked(name) for name in FIELDS}


def following(typed: dict[str, str], after: str) -> str:
    """The query of the next page of the same search."""
    return urlencode({name: text for name, text in {**typed, "after": after}.items() if text})
