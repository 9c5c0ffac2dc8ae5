"""HMAC-SHA256 for keys that are used again and again: what depends on the key alone is hashed once. Pure."""

import hashlib
from functools import lru_cache
from typing import Final

_BLOCK: Final = 64
_INNER, _OUTER = bytes(n ^ 0x36 for n in range(256)), bytes(n ^ 0x5C for n in range(256))
_KEYS: Final = 16_384


class Keyed:
    """`mac(message)` is HMAC-SHA256 (RFC 2104) under the key, at half the price of `hmac.new`."""

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
        self._inner, self._outer = hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))

    def mac(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(_KEYS)
def keyed(key: bytes) -> Keyed:
    """The same `Keyed` for the same key."""
    return Keyed(key)
