"""`Idempotency-Key`: how a client may repeat a command safely until it is answered."""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import WithJsonSchema

from shared.web.problems import Problem

_PATTERN = r"^[!-~][ -~]{14,126}[!-~]$"
_key = re.compile(_PATTERN)

HEADER = "Idempotency-Key"
DESCRIPTION = (
    "16 to 128 printable ASCII characters, e.g. a UUID. Repeating a request with its key gives the answer of the first "
    "one; the same key with another request is refused with 422. Kept for 30 days per token subject."
)
KEY_SCHEMA = {"type": "string", "minLength": 16, "maxLength": 128, "pattern": _PATTERN}

_Header = Annotated[
    str | None,
    WithJsonSchema(KEY_SCHEMA),
    Header(alias=HEADER, description=DESCRIPTION),
]


def checked_key(key: str | None) -> str | None:
    """The key as it is; raises the 400 problem if it is not 16 to 128 printable ASCII characters."""
    if key is not None and _key.fullmatch(key) is None:
        what = "It must be 16 to 128 printable ASCII characters."
        raise Problem(400, "Idempotency-Key is not valid", what, "idempotency-key")
    return key


async def idempotency_key(key: _Header = None) -> str | None:
    """The key that a request came with, or None; 400 if it is not 16 to 128 printable ASCII characters."""
    return checked_key(key)


Idempotency = Annotated[str | None, Depends(idempotency_key)]
"""The parameter type of an endpoint that takes `Idempotency-Key`."""


def request_hash(body: bytes, method: str, path: str) -> str:
    """What makes two requests the same: method, path and body, to the byte; 64 hexadecimal digits."""
    digest = hashlib.sha256(f"{method} {path}\n".encode())
    digest.update(body)
    return digest.hexdigest()
