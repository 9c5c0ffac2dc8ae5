"""A delivery as its receiver checks it: whose signature, how old. The other half of `signing`."""

import hmac
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from services.notify.signing import sign

TOLERANCE_S: Final = 300
Fault = Literal["header-missing", "timestamp-unreadable", "too-old", "too-new", "signature-wrong"]


def fault_of(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float) -> Fault | None:
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
    ours = sign(keys, delivery_id, int(stamp), body).encode().split()
    given = signatures.encode(errors="surrogateescape").split()
    fits = any(hmac.compare_digest(one, other) for one in ours for other in given)
    return None if fits else "signature-wrong"
