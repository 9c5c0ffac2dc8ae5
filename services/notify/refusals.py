"""Why a command on an endpoint cannot be done, in words for who asked. Pure."""

from typing import Final

from services.notify.signing import MAX_ACTIVE_SECRETS


class NotPossible(Exception):
    """The command cannot be done; the caller hears `status`, `slug`, `title` and `detail` as a problem document."""

    def __init__(self, status: int, slug: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.slug, self.title, self.detail = status, slug, title, detail


TOO_MANY_ENDPOINTS: Final = NotPossible(
    409,
    "too-many-endpoints",
    "Too many endpoints",
    "You have as many as you may; delete one, or let the operator raise KAIRAN_NOTIFY_MOST_ENDPOINTS.",
)
DISABLED: Final = NotPossible(
    409, "endpoint-disabled", "The endpoint is disabled", "It receives nothing; resume it first."
)
UNVERIFIED: Final = NotPossible(
    409,
    "endpoint-unverified",
    "The endpoint is not verified",
    "Its receiver has to answer a challenge; verify it first.",
)
TOO_MANY_SECRETS: Final = NotPossible(
    409,
    "too-many-secrets",
    "Too many secrets",
    f"{MAX_ACTIVE_SECRETS} sign already; wait until the oldest has expired, or end the overlap with overlap_s.",
)
DISCLOSURE_NEEDED: Final = NotPossible(
    422,
    "disclosure-needed",
    "A disclosure is needed",
    "The endpoint has real ids: say legal_basis, recipient, country and purpose, or delete it.",
)
