"""`Idempotency-Key`: how a client may repeat a command safely until it is answered."""

import hashlib
import re

from shared.web.problems import Problem

_key = re.compile(r"[!-~][ -~]{14,126}[!-~]")

HEADER = "Idempotency-Key"
DESCRIPTION = (
    f"Takes the header `{HEADER}`: 16 to 128 printable ASCII characters, e.g. a UUID. Repeating a request with its key "
    "gives the answer of the first one; the same key with another request is refused with 422. Kept for 30 days per "
    "token subject."
)
"""What the OpenAPI document says of each command. No parameter of it: a test generator that fills in parameters would
send one key with different requests, and take the refusal that they deserve for a fault."""


def checked_key(key: str | None) -> str | None:
    """The key as it is; raises the 400 problem if it is not 16 to 128 printable ASCII characters."""
    if key is not None and _key.fullmatch(key) is None:
        what = "It must be 16 to 128 printable ASCII characters."
        raise Problem(400, "Idempotency-Key is not valid", what, "idempotency-key")
    return key


def request_hash(body: bytes, method: str, path: str) -> str:
    """What makes two requests the same: method, path and body, to the byte; 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{method} {path}\n".encode())
    digest.update(body)
    return digest.hexdigest()
