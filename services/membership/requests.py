"""What a client may say about members: the bodies of the HTTP requests, and the member as its owner sees it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.catalogue.fields import Id
from shared.catalogue.member import EraseBasis, JoinedPrecision, JoinReason, JoinSource, LeaveReason, VoidReason
from shared.requests import LINES, ONE_LINE, Moment, RecordedAt, RequestBody

Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=ONE_LINE)]
"""One line of free text without control characters."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=LINES)]
"""Free text; line breaks and tabs are its only control characters."""

Email = Annotated[
    str,
    StringConstraints(
        max_length=254,
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63}){1,8}$",
    ),
]


class Joining(RequestBody):
    """Somebody joins. Name, e-mail, introduction, organisation, prefecture and referrer stay in this service's care."""

    source: Annotated[JoinSource, Field(description="How they say they found the community.")] = "unknown"
    source_ref: Annotated[Id | None, Field(description="The publication, broadcast or session that is the source.")] = (
        None
    )
    reason: Annotated[JoinReason | None, Field(description="What they came for; null when not asked.")] = None
    referrer_id: Annotated[Id | None, Field(description="The member who brought them along.")] = None
    organisation: Annotated[Line | None, Field(description="The public body they work for.")] = None
    prefecture: Annotated[Line | None, Field(description="The prefecture they work in.")] = None
    entrance_theme_id: Annotated[Id | None, Field(description="The theme through whose entrance they came in.")] = None
    joined_precision: Annotated[
        JoinedPrecision,
        Field(description="How exactly the moment is known; other than `hour` needs the scope history:write."),
    ] = "hour"
    occurred_at: Annotated[
        Moment | None,
        Field(description="When they joined, if not now; from 1970 to now. Needs the scope history:write."),
    ] = None
    recorded_at: RecordedAt = None
    name: Annotated[Line | None, Field(description="Their name.")] = None
    email: Annotated[
        Email | None, Field(description="Their address; two members cannot have the same. Upper case is lower case.")
    ] = None
    introduction: Annotated[Prose | None, Field(description="What they tell about themselves.")] = None


class Voiding(RequestBody):
    """A join was a mistake."""

    reason_code: Annotated[VoidReason, Field(description="Why the join never counted.")] = "other"


class Erasing(RequestBody):
    """A member's data go."""

    basis: Annotated[EraseBasis, Field(description="The member's request, or the retention rule.")] = "request"


class Member(BaseModel):
    """A member, for who may read personal data."""

    id: str
    version: Annotated[int, Field(ge=1, description="The number of facts about this member so far.")]
    source: JoinSource
    source_ref: str | None
    reason: JoinReason | None
    entrance_theme_id: str | None
    joined_at: datetime
    joined_precision: JoinedPrecision
    left_at: Annotated[datetime | None, Field(description="When they left; null for a member.")]
    left_reason: LeaveReason | None
    voided_at: Annotated[datetime | None, Field(description="When the join was declared a mistake; null if it stands.")]
    void_reason: VoidReason | None
    name: str | None
    email: str | None
    introduction: str | None
    organisation: str | None
    prefecture: str | None
    referrer_id: str | None


class RowResult(BaseModel):
    """What became of one row of an import. It repeats nothing of what the row said."""

    line: Annotated[int, Field(ge=2, description="The line in the file on which the row begins; the header is line 1.")]
    status: Literal["created", "refused"]
    id: Annotated[str | None, Field(description="The new member's id.")] = None
    detail: Annotated[str | None, Field(description="Why the row was refused.")] = None


class ImportResult(BaseModel):
    """What became of every row."""

    imported: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)]
    rows: list[RowResult]
