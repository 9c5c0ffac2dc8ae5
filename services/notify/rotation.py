"""The secrets of an endpoint: which sign at a moment, and what a new one makes of the former. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.notify.refusals import TOO_MANY_SECRETS
from services.notify.signing import MAX_ACTIVE_SECRETS, Signature

Stored = dict[str, Any]


@dataclass(frozen=True)
class NewSecret:
    """Encrypted; `public` is its public half, if it has one; `made_by` names the request, to find it at a repeat."""

    sealed: str
    created_ms: int
    signature: Signature
    public: str | None
    made_by: str | None

    def document(self) -> Stored:
        """As it stands among an endpoint's secrets."""
        stored: Stored = {"sealed": self.sealed, "created_ms": self.created_ms, "expires_ms": None}
        given = {"public": self.public, "made_by": self.made_by}
        return {**stored, **{name: value for name, value in given.items() if value is not None}}


def rotated(stored: Sequence[Stored], secret: NewSecret, overlap_s: float) -> list[Stored]:
    """The new one before those that still sign; NotPossible (409) where these are too many."""
    until_ms = secret.created_ms + int(overlap_s * 1000)
    before = [
        {**one, "expires_ms": min(one["expires_ms"] or until_ms, until_ms)} for one in active(stored, secret.created_ms)
    ]
    overlapping = active(before, secret.created_ms)
    if len(overlapping) >= MAX_ACTIVE_SECRETS:
        raise TOO_MANY_SECRETS
    return [secret.document(), *overlapping]


def active(secrets: Sequence[Stored], now_ms: int) -> list[Stored]:
    """Those that sign at this moment, newest first as they stand."""
    return [one for one in secrets if one["expires_ms"] is None or now_ms < one["expires_ms"]]
