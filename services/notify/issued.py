"""A secret on its way to who verifies with it: chosen when it is asked for, shown once."""

from dataclasses import dataclass

from services.notify.signing import BadSecret, Signature, new_secret, public_key, signing_key
from shared.bus.command import Outcome
from shared.web.problems import Problem


@dataclass(frozen=True)
class Issued:
    """What a receiver verifies with, to be shown this once: the secret in clear, or for `v1a` the public key."""

    outcome: Outcome
    secret: str | None
    public_key: str | None

    @classmethod
    def of(cls, outcome: Outcome, secret: str | None) -> "Issued":
        """The private half of a `v1a` secret is left behind; a chat has none at all, as it could not check one."""
        public = None if secret is None else public_key(secret)
        return cls(outcome, None if public else secret, public)

    @property
    def shown(self) -> str:
        return self.secret or self.public_key or ""


def chosen_secret(given: str | None, signature: Signature | None) -> str:
    """The owner's own secret, or a new one for this kind of signature. Raises Problem (422) for what is none."""
    if given is None:
        return new_secret(signature or "v1")
    try:
        signing_key(given)
    except BadSecret as wrong:
        raise Problem(422, "The secret is not valid", f"{wrong}.".capitalize(), "bad-secret") from None
    return given
