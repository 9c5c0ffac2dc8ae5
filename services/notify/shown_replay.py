"""What an owner is shown of replays: a preview, and how far one has come; the models, and how they are filled."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.notify.outcome import DeliveryState
from services.notify.replay import Preview
from services.notify.selection import canonical
from shared.clock import moment_of


class Example(BaseModel):
    """One of what would be sent again; `sequence` and `state` are null for history that has no number yet."""

    id: str
    sequence: int | None
    event_type: str
    event_id: str
    state: DeliveryState | None
    at: Annotated[datetime, Field(description="When it was planned, or for history recorded.")]


class PreviewShown(BaseModel):
    """What a replay of this selection comes to."""

    count: Annotated[int, Field(description="Deliveries that would be sent.")]
    payload_gone: Annotated[int, Field(description="That fit too, but have no payload any more: ask for `history`.")]
    first: Annotated[int | None, Field(description="Their lowest sequence number.")]
    last: int | None
    oldest: Annotated[datetime | None, Field(description="When the oldest was planned, or for history recorded.")]
    newest: datetime | None
    examples: list[Example]
    selection: Annotated[dict[str, Any], Field(description="As it was understood.")]
    token: Annotated[str, Field(description="Starts just this replay.")]
    expires_at: datetime


class ReplayShown(BaseModel):
    """A replay. `done` says that all were given out to be sent, under their own ids and numbers."""

    id: str
    endpoint_id: str
    state: Literal["running", "done", "stopped"]
    reason: Annotated[str | None, Field(description="Why it was stopped: `owner`, or the endpoint's state.")]
    selection: dict[str, Any]
    total: Annotated[int, Field(description="As previewed.")]
    replayed: int
    passed_over: Annotated[int, Field(description="Without a payload, waiting anyway, or not missing after all.")]
    created_at: datetime
    ended_at: datetime | None


class ReplayList(BaseModel):
    """The last 100, newest first."""

    replays: list[ReplayShown]


def preview_shown(preview: Preview) -> dict[str, object]:
    """As a PreviewShown."""
    counted = preview.counted
    return {
        "count": counted.count,
        "payload_gone": counted.gone,
        **{name: getattr(counted, name) for name in ("first", "last", "oldest", "newest")},
        "examples": [_example(one) for one in counted.examples],
        "selection": canonical(preview.selection),
        "token": preview.token,
        "expires_at": moment_of(preview.expires_ms),
    }


def replay_shown(found: Mapping[str, Any]) -> dict[str, object]:
    """As a ReplayShown."""
    given = ("state", "reason", "selection", "total", "replayed", "passed_over", "created_at", "ended_at")
    return {"id": found["_id"], "endpoint_id": found["endpoint"], **{name: found[name] for name in given}}


def _example(found: Mapping[str, Any]) -> dict[str, object]:
    given = {name: found[name] for name in ("sequence", "event_type", "event_id", "state")}
    return {"id": found["_id"], **given, "at": found["planned_at"]}
