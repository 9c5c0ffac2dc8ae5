"""Standard Webhooks v1 signatures: HMAC-SHA256 over `id.timestamp.body`, one per active secret."""

import base64
import secrets
from collections.abc import Sequence

from services.notify.keyed import keyed

PREFIX = "whsec_"
SECRET_BYTES = 24
MAX_ACTIVE_SECRETS = 5


class BadSecret(ValueError):
    """The text is not a `whsec_` secret of 24 to 64 bytes; make a new one with `new_secret`."""


def new_secret() -> str:
    """A fresh secret as the receiver keeps it: `whsec_` and 24 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def secret_key(secret: str) -> bytes:
    """The bytes that key the HMAC. Raises BadSecret."""
    if not secret.startswith(PREFIX):
        raise BadSecret("a webhook secret begins with whsec_")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:
        raise BadSecret("a webhook secret is base64 after whsec_") from error
    if not SECRET_BYTES <= len(key) <= 64:
        raise BadSecret("a webhook secret has 24 to 64 bytes")
    return key


def sign(keys: Sequence[bytes], delivery_id: str, timestamp_s: int, body: bytes) -> str:
    """The value of `webhook-signature`: `v1,<base64>` for each key, space separated, newest first as given."""
    signed = f"{delivery_id}.{timestamp_s}.".encode() + body
    return " ".join(f"v1,{_mac(key, signed)}" for key in keys)


def _mac(key: bytes, signed: bytes) -> str:
    # Not hmac.digest(): it gives the interpreter lock away, and gets it back behind the database's threads.
    return base64.b64encode(keyed(key).mac(signed)).decode()
