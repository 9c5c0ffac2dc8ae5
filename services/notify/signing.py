"""Standard Webhooks signatures over `id.timestamp.body`, one per active secret.

`v1` is HMAC-SHA256 under a secret that both sides know; `v1a` is Ed25519, of which a receiver needs the public half.
"""

import base64
import secrets
from collections.abc import Sequence
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.notify.keyed import keyed

Signature = Literal["v1", "v1a"]
Key = bytes | Ed25519PrivateKey

PREFIX: Final = "whsec_"
PRIVATE_PREFIX: Final = "whsk_"
PUBLIC_PREFIX: Final = "whpk_"
SECRET_BYTES: Final = 24
MAX_ACTIVE_SECRETS: Final = 5
_SEED_BYTES: Final = 32


class BadSecret(ValueError):
    """The text is neither a `whsec_` secret of 24 to 64 bytes nor a `whsk_` one; make a new one with `new_secret`."""


def new_secret(signature: Signature = "v1") -> str:
    """A fresh secret: `whsec_` and 24 random bytes in base64, or `whsk_` with an Ed25519 seed and its public key."""
    if signature == "v1":
        return PREFIX + _base64(secrets.token_bytes(SECRET_BYTES))
    seed = secrets.token_bytes(_SEED_BYTES)
    return PRIVATE_PREFIX + _base64(seed + _public(Ed25519PrivateKey.from_private_bytes(seed)))


def kind_of(secret: str) -> Signature:
    """Which signatures a secret makes; by its prefix alone."""
    return "v1a" if secret.startswith(PRIVATE_PREFIX) else "v1"


def secret_key(secret: str) -> bytes:
    """The bytes that key the HMAC of a `whsec_` secret. Raises BadSecret."""
    if not secret.startswith(PREFIX):
        raise BadSecret("a webhook secret begins with whsec_")
    key = _decoded(secret.removeprefix(PREFIX))
    if not SECRET_BYTES <= len(key) <= 64:
        raise BadSecret("a webhook secret has 24 to 64 bytes")
    return key


def signing_key(secret: str) -> Key:
    """What signs with a secret of either kind. Raises BadSecret."""
    if secret.startswith(PRIVATE_PREFIX):
        return _private_key(_decoded(secret.removeprefix(PRIVATE_PREFIX)))
    return secret_key(secret)


def public_key(secret: str) -> str | None:
    """What a receiver verifies `v1a` with, as `whpk_`; None for a secret of `v1`. Raises BadSecret."""
    key = signing_key(secret)
    return PUBLIC_PREFIX + _base64(_public(key)) if isinstance(key, Ed25519PrivateKey) else None


def verifying_key(text: str) -> bytes | Ed25519PublicKey:
    """What a receiver verifies with: the key of a `whsec_` secret, or of a `whpk_` public key. Raises BadSecret."""
    if not text.startswith(PUBLIC_PREFIX):
        return secret_key(text)
    try:
        return Ed25519PublicKey.from_public_bytes(_decoded(text.removeprefix(PUBLIC_PREFIX)))
    except ValueError as error:
        raise BadSecret("a public key is whpk_ and 32 bytes in base64") from error


def signed_bytes(delivery_id: str, timestamp_s: int, body: bytes) -> bytes:
    """What a signature is over."""
    return f"{delivery_id}.{timestamp_s}.".encode() + body


def sign(keys: Sequence[Key], delivery_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of `webhook-signature`: `v1,<base64>` or `v1a,<base64>` for each key, newest first as given."""
    signed = signed_bytes(delivery_id, timestamp_s, body)
    return " ".join(
        f"v1,{_mac(key, signed)}" if isinstance(key, bytes) else f"v1a,{_base64(key.sign(signed))}" for key in keys
    )


def _mac(key: bytes, signed: bytes) -> str:
    # Not hmac.digest(): it gives the interpreter lock away, and gets it back behind the database's threads.
    return _base64(keyed(key).mac(signed))


def _private_key(raw: bytes) -> Ed25519PrivateKey:
    if len(raw) not in (_SEED_BYTES, 2 * _SEED_BYTES):
        raise BadSecret("an Ed25519 secret has a seed of 32 bytes, alone or before its public key")
    key = Ed25519PrivateKey.from_private_bytes(raw[:_SEED_BYTES])
    if raw[_SEED_BYTES:] not in (b"", _public(key)):
        raise BadSecret("the two halves of the Ed25519 secret do not belong together")
    return key


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise BadSecret("a webhook secret is base64 after its prefix") from error


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
