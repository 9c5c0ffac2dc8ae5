"""A delivery as its receiver checks it: whose signature, how old. The other half of `signing`."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.notify.signing import sign, signed_bytes

TOLERANCE_S: Final = 300
Fault = Literal["header-missing", "timestamp-unreadable", "too-old", "too-new", "signature-wrong"]


def fault_of(
    keys: Sequence[bytes | Ed25519PublicKey], headers: Mapping[str, str], body: bytes, now_s: float
) -> Fault | None:
    """Why a receiver who holds these keys must refuse the request; None when it is ours and fresh.

    `headers` have lower-case names, `body` is the bytes as they came, `now_s` is Unix time.
    """
    delivery_id, stamp, signatures = (headers.get(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not (delivery_id and stamp and signatures):
        return "header-missing"
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return "timestamp-unreadable"
    if abs(now_s - int(stamp)) > TOLERANCE_S:
        return "too-old" if now_s > int(stamp) else "too-new"
    given = signatures.encode(errors="surrogateescape").split()
    shared = [key for key in keys if isinstance(key, bytes)]
    ours = sign(shared, delivery_id, int(stamp), body).encode().split()
    fits = any(hmac.compare_digest(one, other) for one in ours for other in given)
    signed = signed_bytes(delivery_id, int(stamp), body)
    public = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    return None if fits or any(_made_by(key, one, signed) for key in public for one in given) else "signature-wrong"


def _made_by(key: Ed25519PublicKey, given: bytes, signed: bytes) -> bool:
    version, _, signature = given.partition(b",")
    try:
        key.verify(base64.b64decode(signature, validate=True), signed)
    except (InvalidSignature, ValueError):
        return False
    return version == b"v1a"
